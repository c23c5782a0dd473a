package subscription

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	public      = destinationPolicy{}
	development = destinationPolicy{plain: true, loopback: true}
	inside      = destinationPolicy{loopback: true, private: true}
)

// Which addresses are called, by network and setting.
func TestFenceAddresses(t *testing.T) {
	for _, tt := range []struct {
		address                     string
		public, development, inside bool
	}{
		{"93.184.216.34", true, true, true},
		{"2606:4700:4700::1111", true, true, true},
		{"1.1.1.1", true, true, true},
		{"127.0.0.1", false, true, true},
		{"127.9.9.9", false, true, true},
		{"::1", false, true, true},
		{"::ffff:127.0.0.1", false, true, true},
		{"10.0.0.1", false, false, true},
		{"172.16.0.1", false, false, true},
		{"172.32.0.1", true, true, true},
		{"192.168.1.1", false, false, true},
		{"100.64.0.1", false, false, true},
		{"fd00::1", false, false, true},
		{"::ffff:10.0.0.1", false, false, true},
		{"64:ff9b::a00:1", false, false, true}, // NAT64 of 10.0.0.1
		{"64:ff9b::7f00:1", false, true, true},
		{"64:ff9b::5db8:d822", true, true, true},
		{"::10.0.0.1", false, false, true},
		{"169.254.169.254", false, false, false},
		{"::ffff:169.254.169.254", false, false, false},
		{"64:ff9b::a9fe:a9fe", false, false, false},
		{"fe80::1", false, false, false},
		{"fe80::1%eth0", false, false, false},
		{"fec0::1", false, false, false},
		{"0.0.0.0", false, false, false},
		{"0.1.2.3", false, false, false},
		{"::", false, false, false},
		{"224.0.0.1", false, false, false},
		{"ff02::1", false, false, false},
		{"255.255.255.255", false, false, false},
		{"240.0.0.1", false, false, false},
		{"192.0.2.1", false, false, false},
		{"198.18.0.1", false, false, false},
		{"203.0.113.9", false, false, false},
		{"2001:db8::1", false, false, false},
		{"2002:a00:1::1", false, false, false}, // 6to4 of 10.0.0.1
		{"2001:0:53aa:64c::1", false, false, false},
	} {
		a := netip.MustParseAddr(tt.address)
		for _, f := range []struct {
			name   string
			policy destinationPolicy
			want   bool
		}{{"public", public, tt.public}, {"development", development, tt.development}, {"inside", inside, tt.inside}} {
			if err := f.policy.allow(a); (err == nil) != f.want {
				t.Errorf("%s in %s: %v, want %v", tt.address, f.name, err, f.want)
			}
			if err := f.policy.control("tcp", netip.AddrPortFrom(a, 443).String(), nil); (err == nil) != f.want {
				t.Errorf("%s in %s at dialling: %v, want %v", tt.address, f.name, err, f.want)
			}
		}
	}
	for address, want := range map[string]error{"1.1.1.1:25": errPort, "1.1.1.1:22": errPort, "1.1.1.1:80": nil, "1.1.1.1:1024": nil, "example.com:443": errForbidden, "1.1.1.1": errForbidden, "": errForbidden} {
		if err := public.control("tcp", address, nil); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", address, err, want)
		}
	}
}

// What is refused before anything is dialled.
func TestFenceDestinations(t *testing.T) {
	for _, tt := range []struct {
		dest   string
		policy destinationPolicy
		want   string // "": taken
	}{
		{"https://client.example.com/queryCallback", public, ""},
		{"https://client.example.com:8443/a?b=c", public, ""},
		{"https://client.example.com:443", public, ""},
		{"https://93.184.216.34/", public, ""},
		{"https://localhost/", public, ""}, // at dialling
		{"http://127.0.0.1:8080/hook", development, ""},
		{"http://client.example.com/", development, ""},
		{"http://client.example.com/", public, "is without TLS"},
		{"http://10.0.0.1/", inside, "is without TLS"},
		{"https://10.0.0.1/", inside, ""},
		{"https://10.0.0.1/", public, "on a private network"},
		{"https://[fd00::1]:8443/", public, "on a private network"},
		{"https://127.0.0.1/", public, "on this machine"},
		{"https://[::1]/", public, "on this machine"},
		{"https://[fe80::1%25eth0]/", inside, "none of a public host"},
		{"https://169.254.169.254/latest/meta-data", inside, "none of a public host"},
		{"ftp://client.example.com/", development, `the scheme "ftp"`},
		{"file:///etc/passwd", development, "is not an absolute URL"},
		{"gopher://127.0.0.1:6379/_x", development, "the scheme"},
		{"javascript:alert(1)", development, "is not an absolute URL"},
		{"client.example.com/hook", public, "is not an absolute URL"},
		{"//client.example.com/hook", public, "the scheme"},
		{"https:client.example.com", public, "is not an absolute URL"},
		{"https://", public, "is not an absolute URL"},
		{"https://:443/", public, "is not an absolute URL"},
		{"https://user:secret@client.example.com/", public, "a user name or password"},
		{"https://user@client.example.com/", public, "a user name or password"},
		{"https://client.example.com/#part", public, "a fragment"},
		{"https://client.example.com/#", public, "a fragment"},
		{"https://client.example.com:0/", public, "there is none of"},
		{"https://client.example.com:99999/", public, "there is none of"},
		{"https://client.example.com:25/", public, "another protocol"},
		{"https://client.example.com:22/", development, "another protocol"},
		{"https://client.example.com/" + strings.Repeat("a", maxDest), public, "at most 2048"},
		{"https://client.example.com/\x00", public, "is not an absolute URL"},
		{"https://exa mple.com/", public, "is not an absolute URL"},
	} {
		err := tt.policy.check(tt.dest)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q: %v, want %q", tt.dest, err, tt.want)
		}
	}
}

func tried(t *testing.T, s *sender, dest string) outcome {
	t.Helper()
	t.Cleanup(s.close)
	return s.post(t.Context(), &subscriptionRecord{Dest: dest}, "msg_1", begin, []byte("{}"))
}

// The address is judged when it is dialled: a name that means this machine is refused, whatever it was before.
func TestFenceAtDialling(t *testing.T) {
	called := false
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	for _, dest := range []string{srv.URL, "https://localhost:" + port + "/"} {
		if out := tried(t, newSender(public, patience), dest); out.ok || out.reason != errPrivate.Error() {
			t.Errorf("%s: %+v", dest, out)
		}
	}
	if called {
		t.Error("called")
	}
}

// Redirects are not followed, not even to where one might subscribe.
func TestRedirectsAreNotFollowed(t *testing.T) {
	called := false
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer target.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		srv := httptest.NewServer(http.RedirectHandler(target.URL, status))
		if out := tried(t, newSender(development, patience), srv.URL); out.ok || !strings.Contains(out.reason, "redirects are not followed") {
			t.Errorf("%d: %+v", status, out)
		}
		srv.Close()
	}
	if called {
		t.Error("a redirect was followed")
	}
}

// Proxies of the environment would go around the policy.
func TestNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	if newSender(development, time.Second).client.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy is used")
	}
}

// Every way to fail has a reason that the owner understands and that says nothing about our network.
func TestReasons(t *testing.T) {
	hang := make(chan struct{})
	answer := map[string]http.HandlerFunc{
		"/hang":  func(_ http.ResponseWriter, r *http.Request) { <-hang },
		"/break": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"/410":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) },
		"/413":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(413) },
		"/204":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"/endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		},
		"/header": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 200<<10)) },
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer[r.URL.Path](w, r) })
	srv, secure := httptest.NewServer(h), httptest.NewUnstartedServer(h)
	secure.Config.ErrorLog = nil
	secure.StartTLS()
	defer srv.Close()
	defer secure.Close()
	defer close(hang)
	closed := httptest.NewServer(h)
	closed.Close()
	_, port, _ := net.SplitHostPort(secure.Listener.Addr().String())
	for _, tt := range []struct {
		name, dest, want string
		trust            bool
	}{
		{"taken", srv.URL + "/204", "", false},
		{"an endless answer is taken", srv.URL + "/endless", "", false},
		{"gone", srv.URL + "/410", "the receiver answered 410", false},
		{"too large", srv.URL + "/413", "the receiver answered 413 to a delivery of one event; let it take larger bodies", false},
		{"hangs", srv.URL + "/hang", "no answer in time", false},
		{"breaks off", srv.URL + "/break", "the connection failed or broke", false},
		{"headers without end", srv.URL + "/header", "the connection failed or broke", false},
		{"nobody listens", closed.URL, "the connection was refused", false},
		{"no such host", "http://nowhere.invalid/", "the host name cannot be resolved", false},
		{"no TLS there", strings.Replace(srv.URL, "http:", "https:", 1), "the receiver does not speak TLS", false},
		{"an unknown authority", secure.URL + "/204", "the receiver's certificate is signed by nobody that this service knows", false},
		{"trusted", secure.URL + "/204", "", true},
		{"another host's certificate", "https://localhost:" + port + "/204", "the receiver's certificate is for another host", true},
		{"not a URL", "http://127.0.0.1:http:80/", "dest cannot be called", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			timeout := patience // the machine may be busy
			if tt.name == "hangs" {
				timeout = 100 * time.Millisecond
			}
			s := newSender(development, timeout)
			if tt.trust {
				s.tls.RootCAs = x509.NewCertPool()
				s.tls.RootCAs.AddCert(secure.Certificate())
			}
			if out := tried(t, s, tt.dest); out.reason != tt.want || out.ok != (tt.want == "") || out.took > patience {
				t.Errorf("%+v", out)
			}
		})
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{x509.CertificateInvalidError{Reason: x509.Expired}, "the receiver's certificate has expired, or is not valid yet"},
		{x509.CertificateInvalidError{Reason: x509.TooManyIntermediates}, "the receiver's certificate is not valid"},
		{tls.AlertError(40), "the receiver refused the TLS connection"},
		{syscall.ECONNRESET, "the connection failed or broke"},
		{&net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3)}, Err: errors.New("weird")}, "the connection failed or broke"},
	} {
		if got := reasonOf(tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}
