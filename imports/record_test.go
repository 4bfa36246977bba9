package imports

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/rawlog"
)

// FuzzRecord: any text is an event that the log can hold and gives back, or is
// rejected with a reason.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(getPeersV3()))
	f.Add([]byte(getPeersV4(1525111200123)))
	f.Add([]byte(`{"type":"announce","v":3,"infohash":"` + hashA + `","our_id":"` + hashB + `","their_ip":"203.0.113.9","is_seed":true,"name":"\u00e9\xff\ud83d\ude00"}`))
	f.Add([]byte(`{"type":"resolve","v":3,"infohash":"` + hashA + `","name":"x","size":9,"files":1,"num_peers":2}`))
	base := time.Date(2018, 4, 30, 17, 59, 50, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		var ev rawlog.Event
		if err := convert(text, base, &ev); err != nil {
			var no *rejection
			if !errors.As(err, &no) || no.reason == "" || len(no.detail) > 300 {
				t.Fatalf("rejected with %.500v", err)
			}
			return
		}
		var log bytes.Buffer
		w, err := rawlog.NewWriter(&log, rawlog.Header{Collector: "c", Run: "r", Start: ev.T})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(&ev); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(rawlog.Footer{}); err != nil {
			t.Fatal(err)
		}
		r, err := rawlog.NewReader(&log)
		if err != nil {
			t.Fatal(err)
		}
		var got rawlog.Event
		if err := r.Next(&got); err != nil {
			t.Fatalf("the event of %s cannot be read back: %v", text, err)
		}
		if got.Kind != ev.Kind || got.T != ev.T || !bytes.Equal(got.Query.Name, ev.Query.Name) || got.Query.Addr != ev.Query.Addr {
			t.Errorf("%+v was written, %+v read", ev, got)
		}
	})
}
