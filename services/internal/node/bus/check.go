package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Problem is a setting of a stream or server under which messages could be lost, changed, or kept out.
type Problem struct {
	Stream  string `json:"stream,omitempty"` // empty: it is the server's
	Setting string `json:"setting"`
	Have    string `json:"have"`
	Want    string `json:"want"`
	Why     string `json:"why"`
	Remedy  string `json:"remedy"`
}

func (p *Problem) what() string {
	return fmt.Sprintf("%s is %s, must be %s", p.Setting, p.Have, p.Want)
}

func (p *Problem) String() string {
	of := "server"
	if p.Stream != "" {
		of = p.Stream
	}
	return fmt.Sprintf("%s: %s. %s. Remedy: %s.", of, p.what(), p.Why, p.Remedy)
}

// SettingsError is the refusal to work on a stream, or through a server, with dangerous settings.
type SettingsError struct {
	Stream   string // empty: the server, or several streams
	Problems []Problem
}

func (e *SettingsError) Error() string {
	var d []string
	for i := range e.Problems {
		d = append(d, e.Problems[i].what())
	}
	list := strings.Join(d, "; ")
	if e.Stream != "" {
		return fmt.Sprintf("stream %s exists with settings that could lose or change messages: %s (it is never altered or re-created here; \"verilot stream check\" says why and what to do)", e.Stream, list)
	}
	var lines strings.Builder
	for i := range e.Problems {
		lines.WriteString("\n  " + e.Problems[i].String())
	}
	return "the broker has settings that could lose, change or keep out messages:" + lines.String()
}

// What can be done about a setting.
const (
	edit   = "set it with \"nats stream edit\", then check again: what was lost before stays lost"
	remake = "it cannot be changed on a stream that exists: if the network has no blocks yet, delete both streams and let a validator make them; else put the right streams back from a backup"
	remove = "find out who changed it, put the streams back from a backup, and take the right to change streams from everybody who is not their operator"
)

// shortestWindow is the shortest duplicate window: an outbox sends again after a minute at most.
const shortestWindow = time.Minute

// dangerous lists the settings of a stream that differ from those declared here and matter. Compression, the description,
// placement and more replicas than asked for are the operator's business.
func dangerous(info *jetstream.StreamInfo, want *jetstream.StreamConfig) []Problem {
	have := &info.Config
	var out []Problem
	check := func(ok bool, setting string, has, must any, why, remedy string) {
		if !ok {
			out = append(out, Problem{want.Name, setting, fmt.Sprint(has), fmt.Sprint(must), why, remedy})
		}
	}
	subjects, sorted := slices.Sorted(slices.Values(have.Subjects)), slices.Sorted(slices.Values(want.Subjects))
	check(slices.Equal(subjects, sorted), "subjects", have.Subjects, want.Subjects, "Messages on a missing subject are not kept, and strangers' messages on another one get into the order", edit)
	check(have.Storage == want.Storage, "storage", have.Storage, want.Storage, "Messages in memory are gone when the server restarts, after they were acknowledged", remake)
	check(have.PersistMode == jetstream.DefaultPersistMode, "persist_mode", have.PersistMode, "default", "An asynchronous stream acknowledges before it has written", remake)
	check(have.Retention == want.Retention, "retention", have.Retention, want.Retention, "Messages are deleted when somebody has read them", remake)
	check(have.Discard == want.Discard, "discard", have.Discard, want.Discard, "When a limit is reached, old messages are deleted instead of new ones refused", edit)
	const limited = "Old messages are deleted, or new ones refused, when the limit is reached"
	check(have.MaxMsgs <= 0, "max_msgs", have.MaxMsgs, "unlimited", limited, edit)
	check(have.MaxBytes <= 0, "max_bytes", have.MaxBytes, "unlimited", limited, edit)
	check(have.MaxAge <= 0, "max_age", have.MaxAge, "unlimited", "Messages are deleted when they get that old", edit)
	check(have.MaxMsgsPerSubject <= 0, "max_msgs_per_subject", have.MaxMsgsPerSubject, "unlimited", limited, edit)
	check(have.MaxMsgSize <= 0 || have.MaxMsgSize >= MaxPayload, "max_msg_size", have.MaxMsgSize, fmt.Sprintf("unlimited or at least %d", MaxPayload), "Large submissions and blocks are refused", edit)
	check(have.MaxConsumers <= 0, "max_consumers", have.MaxConsumers, "unlimited", "Who comes after the last allowed reader cannot read", remake)
	check(have.DenyDelete, "deny_delete", false, true, "Single messages can be deleted: a gap halts everybody", edit)
	check(have.DenyPurge, "deny_purge", false, true, "All messages can be purged", edit)
	check(!have.AllowRollup, "allow_rollup_hdrs", true, false, "One message with a header can delete all before it", edit)
	check(!have.AllowMsgTTL, "allow_msg_ttl", true, false, "A publisher can have its message deleted after a time", remake)
	check(!have.AllowMsgCounter, "allow_msg_counter", true, false, "The server adds numbers up instead of keeping what was sent", remake)
	check(!have.AllowMsgSchedules, "allow_msg_schedules", true, false, "The server publishes messages by itself, and deletes the schedule", remake)
	check(have.AllowAtomicPublish, "allow_atomic", false, true, "Batches and large blocks are refused", edit)
	check(!have.NoAck, "no_ack", true, false, "Nobody learns whether a message was stored", edit)
	check(!have.Sealed, "sealed", true, false, "Nothing can be published any more, and that cannot be undone", remake)
	check(have.FirstSeq <= 1, "first_seq", have.FirstSeq, 1, "The first message must be the epoch record, number 1", remake)
	check(have.Mirror == nil, "mirror", "set", "none", "The stream copies another one and takes no messages of its own", remake)
	check(len(have.Sources) == 0, "sources", fmt.Sprintf("%d streams", len(have.Sources)), "none", "Messages of other streams get into the order", edit)
	check(have.SubjectTransform == nil, "subject_transform", "set", "none", "Subjects are changed, and with them who a message claims to be from", edit)
	check(have.RePublish == nil, "republish", "set", "none", "Every message is sent out again on another subject, past the permissions of this one", edit)
	check(have.Duplicates >= shortestWindow, "duplicate_window", have.Duplicates, "at least "+shortestWindow.String(), "A submission that is sent again is stored again: nothing is lost, but the stream grows", edit)
	check(have.Replicas >= want.Replicas, "num_replicas", have.Replicas, fmt.Sprintf("at least %d", want.Replicas), "Losing one server stops everything, and losing its disk loses acknowledged messages", edit)
	check(have.Replicas != 2, "num_replicas", 2, "1, 3 or 5", "Of two replicas none may be away: there are more ways to stop and no more safety than with one", edit)
	check(!have.AllowDirect || have.Replicas <= 1, "allow_direct", true, "false with several replicas", "A replica that is behind answers \"no such message\", and nodes halt over it", edit)
	if s := &info.State; s.Msgs > 0 || s.LastSeq > 0 {
		check(s.FirstSeq <= 1, "the first message", s.FirstSeq, 1, "Messages are gone from the beginning", remove)
		check(s.NumDeleted == 0, "the number of deleted messages", s.NumDeleted, 0, "Messages are gone from the middle", remove)
	}
	return out
}

// tooSmall is the problem of a server that refuses what the ledger allows.
func (b *Bus) tooSmall() []Problem {
	if have := b.nc.MaxPayload(); have < MaxPayload {
		return []Problem{{
			Setting: "max_payload", Have: fmt.Sprint(have), Want: fmt.Sprintf("at least %d", MaxPayload),
			Why: "Large submissions and blocks are refused", Remedy: "set max_payload: 1MB in the server's configuration and reload it",
		}}
	}
	return nil
}

// Report is what a broker tells about itself.
type Report struct {
	Server  string `json:"server"`
	Version string `json:"version"`
	Cluster string `json:"cluster,omitempty"`
	// Streams that are there.
	Streams []StreamReport `json:"streams"`
	// Sync is when each server, by name, syncs what it acknowledges, as far as it tells us: "always" or an interval.
	Sync     map[string]string `json:"sync"`
	Problems []Problem         `json:"problems"`
}

// StreamReport is how a stream is kept.
type StreamReport struct {
	Name     string   `json:"name"`
	Messages uint64   `json:"messages"`
	Replicas int      `json:"replicas"`
	Leader   string   `json:"leader,omitempty"`
	Behind   []string `json:"behind,omitempty"` // replicas that are away or not current; no setting, but worth knowing
}

// SyncAlways is what a broker must do.
const SyncAlways = "always"

// BadSync is the problem of a server that acknowledges before it has synced.
func BadSync(server, sync string) Problem {
	return Problem{
		Setting: "sync_interval of " + server, Have: sync, Want: SyncAlways,
		Why: "What was acknowledged since the last sync is lost when the power fails, and its number is given to another message", Remedy: "set sync_interval: always in the jetstream block of the server's configuration and restart it",
	}
}

// Inspect lists what is dangerous about the broker's settings. Streams that are not there are no problem, unless CUSTODY alone is
// missing: that is ErrGone. A server tells an ordinary client nothing of when it syncs; one of the system account hears it.
func (b *Bus) Inspect(ctx context.Context) (*Report, error) {
	r := &Report{Server: b.nc.ConnectedServerName(), Version: b.nc.ConnectedServerVersion(), Cluster: b.nc.ConnectedClusterName(), Streams: []StreamReport{}, Problems: []Problem{}}
	r.Problems = append(r.Problems, b.tooSmall()...)
	have := map[string]bool{}
	for _, want := range streams(b.replicas) {
		s, err := b.lookup(ctx, want.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		}
		if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) || errors.Is(err, nats.ErrNoResponders) {
			r.Problems = append(r.Problems, Problem{
				Setting: "JetStream", Have: "off", Want: "on", Why: "There is nowhere to keep streams",
				Remedy: "add a jetstream block to the server's configuration, and allow it for the account",
			})
			break
		}
		if err != nil {
			return nil, fmt.Errorf("look up stream %s: %w", want.Name, err)
		}
		info := s.CachedInfo()
		have[want.Name] = true
		r.Problems = append(r.Problems, dangerous(info, &want)...)
		sr := StreamReport{Name: want.Name, Messages: info.State.Msgs, Replicas: info.Config.Replicas}
		if c := info.Cluster; c != nil {
			sr.Leader = c.Leader
			for _, p := range c.Replicas {
				if p.Offline || !p.Current {
					sr.Behind = append(sr.Behind, p.Name)
				}
			}
		}
		r.Streams = append(r.Streams, sr)
	}
	if have[Blocks] && !have[Custody] {
		return nil, ErrGone
	}
	r.Sync = b.syncs()
	for server, sync := range r.Sync {
		if sync != SyncAlways {
			r.Problems = append(r.Problems, BadSync(server, sync))
		}
	}
	return r, nil
}

// jsz is the part of a server's own report that matters here.
type jsz struct {
	Config struct {
		SyncInterval time.Duration `json:"sync_interval"`
		SyncAlways   bool          `json:"sync_always"`
	} `json:"config"`
}

func (j *jsz) sync() string {
	if j.Config.SyncAlways {
		return SyncAlways
	}
	return j.Config.SyncInterval.String()
}

// ReadSync reads when a server syncs from what its monitoring port answers at /jsz; false: it does not say.
func ReadSync(b []byte) (sync string, ok bool) {
	var j jsz
	if err := json.Unmarshal(b, &j); err != nil || !j.Config.SyncAlways && j.Config.SyncInterval == 0 {
		return "", false
	}
	return j.sync(), true
}

// syncs asks the servers themselves. Only clients of the system account get an answer; for others the map is empty.
func (b *Bus) syncs() map[string]string {
	out := map[string]string{}
	inbox := b.nc.NewRespInbox()
	sub, err := b.nc.SubscribeSync(inbox)
	if err != nil {
		return out
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := b.nc.PublishRequest("$SYS.REQ.SERVER.PING.JSZ", inbox, []byte(`{"config":true}`)); err != nil {
		return out
	}
	for wait := time.Second; ; wait = 300 * time.Millisecond {
		m, err := sub.NextMsg(wait)
		if err != nil || len(m.Data) == 0 && m.Header.Get("Status") == "503" {
			return out
		}
		var a struct {
			Server struct {
				Name string `json:"name"`
			} `json:"server"`
			Data jsz `json:"data"`
		}
		if json.Unmarshal(m.Data, &a) == nil && a.Server.Name != "" {
			out[a.Server.Name] = a.Data.sync()
		}
	}
}

// Examine connects to brokers, inspects them and closes the connection.
func Examine(ctx context.Context, o Options) (*Report, error) {
	b, err := Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if o.Replicas == 0 && b.nc.ConnectedClusterName() != "" {
		b.replicas = 3
	}
	r, err := b.Inspect(ctx)
	if err != nil && (errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded)) {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return r, err
}
