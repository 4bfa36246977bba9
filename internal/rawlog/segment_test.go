package rawlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/zstd"

	"github.com/boontorrent/boon/internal/lake"
)

// segment returns a sealed segment of n get_peers, with a frame's end after every per.
func segment(t testing.TB, n, per int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, Header{Collector: "test", Run: "r", Start: 1795354496_000000})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		ev := numbered(i)
		if err := w.Append(&ev); err != nil {
			t.Fatal(err)
		}
		if (i+1)%per == 0 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(Footer{End: 1795354499_000000}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func numbered(i int) Event {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	ev := Event{Kind: GetPeers, T: 1795354496_000000 + int64(i), N: int64(i) + 1}
	q := &ev.Query
	for j := range q.Infohash {
		q.Infohash[j], q.OurID[j], q.TheirID[j] = byte(r.Uint32()), 7, byte(r.Uint32())
	}
	q.HasTheirID, q.Port = true, 6881
	q.Addr = netip.AddrFrom4([4]byte{5, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
	q.Version = []byte("LT\x02\x00")
	return ev
}

// readAll returns the numbers of the events that can be read, and the account.
func readAll(t testing.TB, file []byte) ([]int64, Summary, error) {
	t.Helper()
	r, err := NewReader(iotestOneByte(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ns, err := drain(r)
	return ns, r.Summary(), err
}

// drain reads to the end, and returns the numbers of the events.
func drain(r *Reader) (ns []int64, err error) {
	var ev Event
	for {
		err := r.Next(&ev)
		var reject *Reject
		switch {
		case errors.Is(err, io.EOF):
			return ns, nil
		case errors.As(err, &reject):
		case err != nil:
			return ns, err
		default:
			ns = append(ns, ev.N)
		}
	}
}

// iotestOneByte reads in small, uneven pieces, as a network does.
func iotestOneByte(b []byte) io.Reader { return &uneven{b: b} }

type uneven struct {
	b []byte
	n int
}

func (u *uneven) Read(p []byte) (int, error) {
	if len(u.b) == 0 {
		return 0, io.EOF
	}
	u.n++
	n := copy(p[:min(len(p), 1+u.n*37%5000)], u.b)
	u.b = u.b[n:]
	return n, nil
}

func upTo(n int) []int64 {
	ns := make([]int64, n)
	for i := range ns {
		ns[i] = int64(i) + 1
	}
	return ns
}

func TestSegmentRoundTrip(t *testing.T) {
	ns, sum, err := readAll(t, segment(t, 10000, 700))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(upTo(10000), ns); diff != "" {
		t.Error(diff)
	}
	if !sum.Sealed || sum.Lost != 0 || sum.Cut || sum.Damaged != 0 || sum.Footer.Records != 10000 || sum.Header.Run != "r" {
		t.Errorf("account: %+v", sum)
	}
}

// A file cut anywhere gives every record of the frames before the cut.
func TestCutAnywhere(t *testing.T) {
	file := segment(t, 90, 15)
	for cut := range len(file) {
		ns, sum, err := readAll(t, file[:cut])
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if diff := cmp.Diff(upTo(len(ns)), ns, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("cut at %d: not a prefix: %s", cut, diff)
		}
		if sum.Sealed {
			t.Fatalf("cut at %d: said to be sealed", cut)
		}
		if want := 90 * cut / len(file) / 15 * 15; len(ns) < want-15 {
			t.Fatalf("cut at %d of %d: read %d records, want at least %d", cut, len(file), len(ns), want-15)
		}
	}
}

// One flipped bit costs at most the frames it touches, and the loss is counted.
func TestFlippedBits(t *testing.T) {
	file := segment(t, 400, 50)
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		bit := r.IntN(len(file) * 8)
		flipped := bytes.Clone(file)
		flipped[bit/8] ^= 1 << (bit % 8)
		ns, sum, err := readAll(t, flipped)
		if err != nil {
			t.Fatalf("bit %d: %v", bit, err)
		}
		if len(ns) < 300 {
			t.Errorf("bit %d: read only %d of 400 records; %+v", bit, len(ns), sum)
		}
		rejected := 0
		for _, n := range sum.Rejected {
			rejected += int(n)
		}
		if sum.Sealed && sum.Headers == 1 && len(ns)+rejected+int(sum.Lost) != 400 {
			t.Errorf("bit %d: read %d + rejected %d + lost %d is not 400", bit, len(ns), rejected, sum.Lost)
		}
		if len(ns) < 400 && sum.Damaged == 0 && !sum.Cut && rejected == 0 {
			t.Errorf("bit %d: %d records gone without a word", bit, 400-len(ns))
		}
	}
}

func TestConcatenated(t *testing.T) {
	one := segment(t, 100, 30)
	garbage := []byte("not a frame at all, \x28 and more")
	skippable := []byte{0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3}
	for name, file := range map[string][]byte{
		"two":       bytes.Join([][]byte{one, one}, nil),
		"garbage":   bytes.Join([][]byte{one, one}, garbage),
		"skippable": bytes.Join([][]byte{one, one}, skippable),
	} {
		ns, sum, err := readAll(t, file)
		if err != nil || len(ns) != 200 || sum.Lost != 0 || sum.Headers != 2 {
			t.Errorf("%s: %d records, %v, %+v", name, len(ns), err, sum)
		}
		if damaged := name == "garbage"; (sum.Damaged > 0) != damaged {
			t.Errorf("%s: %d damaged stretches", name, sum.Damaged)
		}
	}
}

// pack compresses as other programs do: one frame for all, without a size.
func pack(t testing.TB, text io.Reader, opts ...zstd.EOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unpack(t testing.TB, file []byte) []byte {
	t.Helper()
	d, err := zstd.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	text, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestForeignFrames(t *testing.T) {
	const n = 60000 // over maxPlain
	text := unpack(t, segment(t, n, 5000))
	file := pack(t, bytes.NewReader(text))
	ns, sum, err := readAll(t, file)
	if err != nil || len(ns) != n || !sum.Sealed || sum.Lost != 0 {
		t.Errorf("one large frame: %d records, %v, %+v", len(ns), err, sum)
	}
	ns, sum, err = readAll(t, file[:len(file)/2])
	if err != nil || len(ns) < n/3 || !sum.Cut {
		t.Errorf("half of it: %d records, %v, %+v", len(ns), err, sum)
	}
	unended := bytes.TrimSuffix(text, []byte("\n"))
	if _, sum, err := readAll(t, pack(t, bytes.NewReader(unended))); err != nil || !sum.Sealed {
		t.Errorf("without the last newline: %v, %+v", err, sum)
	}
}

func TestHostileSegments(t *testing.T) {
	zeros := func(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }
	bomb := pack(t, zeros(1<<30))
	if len(bomb) > 1<<20 {
		t.Fatalf("the bomb weighs %d bytes", len(bomb))
	}
	if _, sum, err := readAll(t, bomb); !errors.Is(err, ErrTooLarge) || sum.Rejected[TooLong] != 1 {
		t.Errorf("a gibibyte in one line: %v, %+v", err, sum)
	}
	long := strings.Repeat("x", 10<<20) + "\n"
	one, err := AppendEvent(nil, sampleEvents()[0])
	if err != nil {
		t.Fatal(err)
	}
	ns, sum, err := readAll(t, pack(t, strings.NewReader(long+string(one))))
	if err != nil || len(ns) != 1 || sum.Rejected[TooLong] != 1 {
		t.Errorf("a line of 10 MiB before a good one: %v %v %+v", ns, err, sum)
	}
	for name, file := range map[string][]byte{"empty": nil, "text": []byte("{\"type\":\"segment\"}\n"), "three bytes": {1, 2, 3}} {
		if ns, _, err := readAll(t, file); err != nil || len(ns) != 0 {
			t.Errorf("%s: %v %v", name, ns, err)
		}
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// FuzzReader: no file makes the reader panic, hang or lose count.
func FuzzReader(f *testing.F) {
	f.Add(segment(f, 20, 5))
	f.Add(bytes.Join([][]byte{segment(f, 3, 1), segment(f, 3, 3)}, []byte("xx")))
	f.Fuzz(func(t *testing.T, file []byte) {
		ns, sum, err := readAll(t, file)
		if err == nil && int64(len(ns)) != sum.Records {
			t.Errorf("%d records read, %d counted", len(ns), sum.Records)
		}
	})
}

func TestWriterReportsFullDisk(t *testing.T) {
	w, err := NewWriter(failAfter(100), Header{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20000 {
		ev := numbered(i)
		if err = w.Append(&ev); err != nil {
			break
		}
	}
	if !errors.Is(err, errFull) || !errors.Is(w.Close(Footer{}), errFull) {
		t.Errorf("Append: %v; Close must say the same", err)
	}
}

var errFull = errors.New("no space left on device")

type failAfter int

func (f failAfter) Write(p []byte) (int, error) {
	if len(p) > int(f) {
		return int(f), errFull
	}
	return len(p), nil
}

func TestLogIsRepeatable(t *testing.T) {
	s := lake.NewMemory()
	write := func() *Log {
		l := NewLog(s, Header{Collector: "c", Run: "r"}, 300_000_000)
		for i := range 3000 {
			ev := numbered(i)
			ev.N = 0
			ev.T += int64(i%12) * lake.MicrosPerDay // twelve days in turn
			if err := l.Append(t.Context(), &ev); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		return l
	}
	first, second := write(), write()
	if first.Present != 0 || second.Written != 0 || first.Written != second.Present {
		t.Errorf("first wrote %d, second %d anew and found %d", first.Written, second.Written, second.Present)
	}
	total := 0
	for info, err := range s.List(t.Context(), lake.RawPrefix) {
		if err != nil {
			t.Fatal(err)
		}
		key, err := lake.ParseSegmentKey(info.Key)
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := lake.ReadAll(t.Context(), s, info.Key, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		var ev Event
		for r.Next(&ev) == nil {
			if lake.DayOf(ev.T) != lake.DayOf(key.Start) {
				t.Fatalf("an event of %v in %s", lake.DayOf(ev.T), info.Key)
			}
			total++
		}
		r.Close()
	}
	if total != 3000 {
		t.Errorf("%d events in the lake, want 3000", total)
	}
}

func BenchmarkReader(b *testing.B) {
	const n = 100000
	file := segment(b, n, 1<<30)
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(bytes.NewReader(file))
		var ev Event
		for {
			if err := r.Next(&ev); err != nil {
				break
			}
		}
	}
	if got := r.Summary().Records; got != n {
		b.Fatal(fmt.Errorf("read %d events", got))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/event")
	b.ReportMetric(float64(len(file))/n, "bytes/event")
}
