package imports

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/rawlog"
)

// split gives the pieces of a stream: objects as they are, others as "reason: text".
func split(t *testing.T, r io.Reader) []string {
	t.Helper()
	o := newObjects(r)
	var got []string
	for {
		p, err := o.next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			return append(got, "error: "+err.Error())
		}
		if p.reason == "" {
			got = append(got, string(p.text))
		} else {
			got = append(got, p.reason+": "+string(p.text))
		}
	}
}

func TestObjects(t *testing.T) {
	const a, b = `{"type":"a","x":{"y":[1,{"z":"}{"}],"w":null}}`, `{"type":"b","s":"\"{\\"}`
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"nothing":                       {"", nil},
		"spaces":                        {" \n\r\n\t", nil},
		"one a line":                    {a + "\n" + b + "\n", []string{a, b}},
		"run together":                  {a + b + a, []string{a, b, a}},
		"an array":                      {"[" + a + ",\n" + b + "]", []string{a, b}},
		"a byte order mark, CRLF":       {"\ufeff" + a + "\r\n" + b + "\r\n", []string{a, b}},
		"over several lines":            {"{\n \"type\": \"a\",\n \"x\": [\n  {},\n  {}\n ]\n}\n" + b, []string{"{\n \"type\": \"a\",\n \"x\": [\n  {},\n  {}\n ]\n}", b}},
		"a line that is none":           {a + "\nhello world\n" + b, []string{a, "not_json: hello world", b}},
		"garbage before an object":      {"\x00\x01garbage" + a, []string{"not_json: \x00\x01garbage", a}},
		"cut in a string, then a line":  {`{"type":"a","x":"abc` + "\n" + b, []string{`not_json: {"type":"a","x":"abc`, b}},
		"cut in a string, run together": {`{"type":"a","x":"abc` + b + a, []string{`not_json: {"type":"a","x":"abc`, b, a}},
		"cut between strings":           {`{"type":"a",` + b + a, []string{`not_json: {"type":"a",`, b, a}},
		"cut between, then a line":      {`{"type":"a",` + "\n" + b, []string{"not_json: {\"type\":\"a\",\n", b}},
		"cut at the end":                {a + `{"type":"a"`, []string{a, `not_json: {"type":"a"`}},
		"closed by the wrong brace":     {`{"type":["a"}` + b, []string{`not_json: {"type":["a"}`, b}},
		"objects that begin otherwise":  {`{"v":3 bad!}{"v":4}` + "\n", []string{`not_json: {"v":3 bad!}`, `{"v":4}`}},
		"nested too deep":               {`{"a":` + strings.Repeat("[", 40) + "\n" + b, []string{`too_deep: {"a":` + strings.Repeat("[", 40), b}},
	} {
		for mode, r := range map[string]io.Reader{"": strings.NewReader(c.in), ", byte by byte": iotest.OneByteReader(strings.NewReader(c.in))} {
			if diff := cmp.Diff(c.want, split(t, r)); diff != "" {
				t.Errorf("%s%s (-want +got):\n%s", name, mode, diff)
			}
		}
	}
}

// A record of megabytes is one rejected record, and takes little memory.
func TestObjectsTooLong(t *testing.T) {
	const b = `{"type":"b"}`
	for _, after := range []string{"\n", `"}`, `"}}}]` + "\n"} {
		in := `{"type":"a","name":"` + strings.Repeat("x", 3<<20) + after + b
		o := newObjects(strings.NewReader(in))
		p, err := o.next()
		if err != nil || p.reason != rawlog.TooLong || len(p.text) != maxText || p.size < 3<<20 {
			t.Fatalf("%d bytes, %q of %d, %v", len(p.text), p.reason, p.size, err)
		}
		if p, err := o.next(); err != nil || string(p.text) != b {
			t.Errorf("after %q: %q, %v", after, p.text, err)
		}
		if cap(o.buf) > 4*maxObject {
			t.Errorf("the buffer grew to %d bytes", cap(o.buf))
		}
	}
}

// What was read before a stream fails is not lost.
func TestObjectsOfFailingStream(t *testing.T) {
	in := io.MultiReader(strings.NewReader(`{"type":"a"}{"type":`), iotest.ErrReader(errors.New("cut")))
	want := []string{`{"type":"a"}`, `not_json: {"type":`, "error: cut"}
	if diff := cmp.Diff(want, split(t, in)); diff != "" {
		t.Error(diff)
	}
}

// FuzzObjects: every byte that is no separator ends up in some piece, and valid
// objects come out whole whatever they are preceded by on lines of their own.
func FuzzObjects(f *testing.F) {
	f.Add([]byte(`{"type":"a","x":"}{"}{"type":"b"}`))
	f.Add([]byte("{\"type\":\"a\nfoo{\"}}]\n{\"type\""))
	f.Add([]byte(`[{"a":[[{}]]},{"v":3 !}{"v":4}]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		const last = `{"type":"resolve","n":[{"x":"}"}]}`
		o := newObjects(iotest.HalfReader(strings.NewReader(string(in) + "\n" + last)))
		total, pieces, whole := int64(0), 0, ""
		for {
			p, err := o.next()
			if err != nil {
				break
			}
			if p.size <= 0 || len(p.text) == 0 || p.reason != "" && len(p.text) > maxText {
				t.Fatalf("a piece %q of %d bytes", p.text, p.size)
			}
			total, pieces, whole = total+p.size, pieces+1, string(p.text)
		}
		separators := int64(0)
		for _, c := range in {
			if isSeparator(c) {
				separators++
			}
		}
		if all := int64(len(in) + 1 + len(last)); total > all || total < all-separators-1 {
			t.Fatalf("%d bytes in pieces, of %d with %d separators", total, all, separators)
		}
		if whole != last && !strings.Contains(string(in), "{") {
			t.Fatalf("the last of %d pieces is %q", pieces, whole)
		}
	})
}
