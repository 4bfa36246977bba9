//go:build cgo && !noduck

package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachAddress(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "x 8.8.8.8, 1.1.1.1.": "8.8.8.8 1.1.1.1", "App.v10.0.19.41.exe": "10.0.19.41", "http://203.0.113.7:6881/": "203.0.113.7",
		"1.2.3": "", "1.2.3.4.5": "", "256.1.1.1": "", "1..2.3.4": "", "1.2.3.256": "", "1234.2.3.4": "", "a.1.2.3.4": "1.2.3.4", "1.2.3.4.mkv": "1.2.3.4",
		"2001:db8::1": "2001:db8::1", "[2a00:1450:4001:81b::200e]:80": "2a00:1450:4001:81b::200e", "12:34:56": "", "a::before": "", "fe80::1": "", "2001:db8:1:2:3:4:5:6,": "2001:db8:1:2:3:4:5:6",
		"2001: a space odyssey": "", "S01:E02::": "", "20:01:05": "", "": "", ".": "", "1.": "", "::1": "",
	} {
		var found []string
		eachAddress([]byte(text), func(a []byte) { found = append(found, string(a)) })
		if diff := cmp.Diff(want, strings.Join(found, " ")); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-x": "'-x", "@SUM(A1)": "'@SUM(A1)", " =1": "' =1", "Film = 2": "Film = 2", "": "", "a-b": "a-b", "\t=1": "'\t=1", "%x": "'%x",
		"\u2003=1": "'\u2003=1", "\uff1d1": "'\uff1d1", "\u3000\uff0b1": "'\u3000\uff0b1", "\xff": "\xff",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// No name makes a cell of its own, whatever separates cells.
func TestCSVNames(t *testing.T) {
	got := string(rankingCSV([]ranked{{ID: "00ff", Name: "a;=1+1;\"b\",\tc"}}, true))
	if want := "rank,infohash,name,type,year,adult,requesters,size\n1,00ff,\"a;=1+1;\"\"b\"\", c\",,,false,0,0\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A level comes back as the count within half a ten, above a thousand within 3%.
func TestLevels(t *testing.T) {
	for n := int64(10); n < 90_000; n += 10 {
		level := levelOf(n)
		back := 10 * float64(level)
		if level > levelTens {
			back = 1000
			for range level - levelTens {
				back *= levelStep
			}
		}
		if off := back/float64(n) - 1; n <= 1000 && off != 0 || off > 0.03 || off < -0.03 {
			t.Fatalf("%d comes back as %.0f", n, back)
		}
	}
}

func FuzzEachAddress(f *testing.F) {
	f.Add([]byte("a 1.2.3.4 2001:db8::1"))
	f.Add([]byte("1.2.3.4.5:::..1.255.255.255"))
	f.Fuzz(func(t *testing.T, b []byte) {
		eachAddress(b, func(a []byte) {
			if len(a) < 7 || len(a) > 45 {
				t.Errorf("%q", a)
			}
		})
	})
}

func TestNeedles(t *testing.T) {
	var n needles
	n.add([]byte("abcd"))
	n.add([]byte("abx"))
	n.add([]byte{0xff, 0, 0xff})
	for text, want := range map[string]bool{"": false, "a": false, "abc": false, "abcd": true, "..ababcd": true, "aabx": true, "abab": false, "\xff\x00": false, "\xff\xff\x00\xff": true} {
		if got := n.in([]byte(text)); got != want {
			t.Errorf("in %q: %v", text, got)
		}
	}
	if (&needles{}).in([]byte("anything")) {
		t.Error("nothing was found")
	}
}
