package localnet

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Layout says where the services of a network run when that is not one machine. It is what `verilot init --layout` reads.
type Layout struct {
	// Config and Data are the folders where a service finds its configuration with keys, and keeps its data, on the machine that it runs on;
	// "{service}" stands for its name.
	Config string `yaml:"config"`
	Data   string `yaml:"data"`
	// LogLevel and LogFormat are those of every service. Default info and text.
	LogLevel  string `yaml:"log_level"`
	LogFormat string `yaml:"log_format"`
	// Services by name: nats-1 and on, validator-1 and on (1, or 4 and more), api, manufacturer, distributor, pharmacy.
	Services map[string]Place `yaml:"services"`
}

// Place is where a service is.
type Place struct {
	// Host is the name or address by which the other machines reach it. Brokers and api need it.
	Host string `yaml:"host"`
	// Listen is the address where it takes requests (of a validator: health and metrics), such as 0.0.0.0:8080. Of a broker: where its
	// clients connect.
	Listen string `yaml:"listen"`
	// Cluster is where a broker takes the connections of the others, such as 0.0.0.0:6222. Needed if there are several.
	Cluster string `yaml:"cluster"`
}

// ParseLayout reads a layout strictly.
func ParseLayout(name string, b []byte) (*Layout, error) {
	var l Layout
	err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict(), yaml.DisallowUnknownField()).Decode(&l)
	if err == nil || errors.Is(err, io.EOF) {
		err = l.check()
	}
	if err != nil {
		return nil, fmt.Errorf("layout %s: %w", name, err)
	}
	return &l, nil
}

// LoadLayout reads the layout file.
func LoadLayout(file string) (*Layout, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	return ParseLayout(file, b)
}

func (l *Layout) check() error {
	var bad []error
	no := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	for _, f := range []struct{ key, value string }{{"config", l.Config}, {"data", l.Data}} {
		if !strings.HasPrefix(f.value, "/") {
			no("%s is %q: it must be the absolute path of a folder on the machine that runs the service; {service} stands for its name", f.key, f.value)
		}
	}
	validators, brokers := l.count("validator-"), l.count("nats-")
	if err := CheckValidators(validators); err != nil {
		bad = append(bad, err)
	}
	if err := CheckCluster(brokers); err != nil {
		bad = append(bad, err)
	}
	known := map[string]bool{}
	for _, name := range l.names(brokers, validators) {
		known[name] = true
		p, ok := l.Services[name]
		if !ok {
			no("services: %s is missing", name)
			continue
		}
		if _, err := portOf(p.Listen); err != nil {
			no("services: %s: listen %q: %w", name, p.Listen, err)
		}
		if needs := name == "api" || isBroker(name); needs && p.Host == "" {
			no("services: %s: host is missing: the others must find it", name)
		}
		switch {
		case isBroker(name) && brokers > 1:
			if _, err := portOf(p.Cluster); err != nil {
				no("services: %s: cluster %q: %w", name, p.Cluster, err)
			}
		case p.Cluster != "":
			no("services: %s: cluster is for one of several brokers", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Services)) {
		if !known[name] {
			no("services: %s is not known; there are nats-1 to nats-%d, validator-1 to validator-%d, api, %s, without gaps", name, max(brokers, 1), max(validators, 1), strings.Join(roles, ", "))
		}
	}
	return errors.Join(bad...)
}

func isBroker(name string) bool { return strings.HasPrefix(name, "nats-") }

func (l *Layout) count(prefix string) int {
	n := 0
	for name := range l.Services {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}

// names are those of all services that there must be.
func (l *Layout) names(brokers, validators int) []string {
	var out []string
	for i := range max(brokers, 1) {
		out = append(out, brokerName(i))
	}
	for i := range max(validators, 1) {
		out = append(out, validatorName(i))
	}
	return append(append(out, "api"), roles...)
}

func brokerName(i int) string { return fmt.Sprintf("nats-%d", i+1) }

// portOf reads the port of a listening address.
func portOf(addr string) (int, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, errors.New("it must be an address and a port, such as 0.0.0.0:8080")
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 || host == "" {
		return 0, errors.New("it must be an address and a port, such as 0.0.0.0:8080")
	}
	return n, nil
}

// at is where the others reach an address that listens on a port.
func (p *Place) at(listen string) string {
	_, port, _ := net.SplitHostPort(listen) // checked when the layout was read
	return net.JoinHostPort(p.Host, port)
}

// in replaces {service} in one of the two folders.
func in(folder, service string) string { return strings.ReplaceAll(folder, "{service}", service) }

// brokers are those of the layout as services reach them.
func (l *Layout) brokers() *brokers {
	n := l.count("nats-")
	b := &brokers{replicas: min(cmp.Or(n, 1), 3)}
	for i := range n {
		p := l.Services[brokerName(i)]
		b.urls = append(b.urls, "nats://"+p.at(p.Listen))
	}
	return b
}
