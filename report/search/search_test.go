package search

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/boontorrent/boon/internal/synth"
)

// ask is what ask.js is asked.
type ask struct {
	Q       string `json:"q"`
	Typing  bool   `json:"typing,omitempty"`
	Type    string `json:"type,omitempty"`
	Year    string `json:"year,omitempty"`
	Size    string `json:"size,omitempty"`
	Country string `json:"country,omitempty"`
	Adult   bool   `json:"adult,omitempty"`
	Files   bool   `json:"files,omitempty"`
	Order   string `json:"order,omitempty"`
	Page    int    `json:"page,omitempty"`
	Pages   int    `json:"pages,omitempty"` // so many, of one client
	Warm    bool   `json:"warm,omitempty"`
	Further int    `json:"further,omitempty"` // how often it was told to look further
}

type answer struct {
	Count         int
	Kind          string
	Of            int
	More, Further bool
	Read          []string // files
	Docs          []int
	Rows          []struct {
		Infohash, Name, Type           string
		Size, Day, Year, Demand, Files int64
	}
	Error string
}

// query asks the client in JavaScript.
func query(t *testing.T, folder string, asks []ask) (answers []answer) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node here to run the client with")
	}
	in, err := json.Marshal(asks)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "../web/js/test/ask.js", folder)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

// hostile names, and some in scripts that the synthetic ones lack.
var hostile = []string{
	"<script>alert(1)</script> Film", `"><img src=x onerror=alert(1)>`, "__proto__ constructor toString", "foo\u202egnp.exe bar",
	"zero\u200bwidth", "nul\x00 and \x1b[31mred", strings.Repeat("word", 1024), strings.Repeat("deep/", 200) + "end", "😀🎬 emoji film",
	"= cmd|' /C calc'!A0", "+1 -2 @SUM(A1)", "\xff\xfe not utf-8", "", "...", "猫の恩返し", "한국어 영화", "ภาพยนตร์ไทย",
}

// corpus makes up documents and the paths of their files.
func corpus(t testing.TB, n int, files bool) ([]Doc, map[[20]byte][]string) {
	t.Helper()
	listed, err := synth.Torrents(3, n, files)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var docs []Doc
	paths := map[[20]byte][]string{}
	for l := range listed {
		d := Doc{Infohash: l.Infohash, Name: l.Name, Title: l.Title, Type: l.Kind, Year: l.Year, Size: l.Size, Files: int64(len(l.Paths)), Day: 20000 + r.IntN(700), Adult: l.Kind == "adult"}
		if i := len(docs); i%97 == 0 && i/97 < len(hostile) {
			d.Name, d.Title = hostile[i/97], ""
		}
		if r.IntN(4) == 0 {
			d.Demand = int64(10 * (2 + int(20*r.ExpFloat64())))
			for _, c := range []string{"DE", "US", "IN"} {
				if r.IntN(3) == 0 {
					d.Countries = append(d.Countries, c)
				}
			}
		}
		paths[d.Infohash] = l.Paths
		docs = append(docs, d)
	}
	return docs, paths
}

// small sizes make an index of few documents as manifold as a large one.
func small() sizes {
	return sizes{shard: 600, fileShard: 600, inline: 120, head: 30, block: 60, most: 400, rows: 16, byWord: 32, wordPacks: 4, columns: 256}
}

func buildIndex(t testing.TB, docs []Doc, paths map[[20]byte][]string, workers int, z sizes) (folder string, numbered []Doc) {
	t.Helper()
	docs = slices.Clone(docs)
	var order [][20]byte
	for _, d := range docs {
		order = append(order, d.Infohash)
	}
	dir := t.TempDir()
	b, err := newBuilder(t.Context(), docs, Options{Dir: dir, Temp: dir, Workers: workers, K: 20}, z)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, h := range order {
		if err := b.Files(t.Context(), h, slices.Clone(paths[h])); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, s.Folder), docs
}

// truthOf reads every name: what it finds, the index must find.
type truthOf struct {
	docs            []Doc
	names, withFile []map[string]bool // terms of each document
	units           []string          // joined and surrounded by zeros
}

func readAll(docs []Doc, paths map[[20]byte][]string) *truthOf {
	var t Tokeniser
	all := &truthOf{docs: docs}
	for _, d := range docs {
		name := map[string]bool{}
		t.Terms(d.Name, func(term []byte) { name[string(term)] = true })
		files := maps.Clone(name)
		for _, p := range paths[d.Infohash] {
			t.Terms(p, func(term []byte) { files[string(term)] = true })
		}
		all.names, all.withFile, all.units = append(all.names, name), append(all.withFile, files), append(all.units, joined(&t, d.Name))
	}
	return all
}

func joined(t *Tokeniser, text string) string {
	all := "\x00"
	for _, u := range t.Units(text) {
		all += u.Text + "\x00"
	}
	return all
}

func (all *truthOf) matches(a ask) (found []int) {
	var t Tokeniser
	words, last, phrase := map[string]bool{}, "", "\x00"
	t.Terms(strings.ReplaceAll(a.Q, `"`, " "), func(term []byte) { words[string(term)] = true })
	if p := strings.Split(a.Q, `"`); len(p) == 3 {
		phrase = joined(&t, p[1])
	}
	if f := strings.Fields(a.Q); a.Typing && len(f) > 0 {
		t.Terms(f[len(f)-1], func(term []byte) { last = string(term) })
		delete(words, last)
	}
	for i, d := range all.docs {
		have := all.names[i]
		if a.Files {
			have = all.withFile[i]
		}
		ok := d.Adult == a.Adult && (a.Type == "" || a.Type == d.Type) && (a.Year == "" || a.Year == fmt.Sprint(d.Year)) &&
			(a.Size == "" || a.Size == fmt.Sprint(SizeClass(d.Size))) && (a.Country == "" || slices.Contains(d.Countries, a.Country)) &&
			strings.Contains(all.units[i], phrase)
		for w := range words {
			ok = ok && have[w]
		}
		if ok && last != "" {
			ok = false
			for w := range have {
				ok = ok || strings.HasPrefix(w, last)
			}
		}
		if ok {
			found = append(found, i)
		}
	}
	key := func(i int) int { return 0 }
	switch a.Order {
	case "size":
		key = func(i int) int { return int(sizeCode(all.docs[i].Size)) }
	case "date":
		key = func(i int) int { return all.docs[i].Day }
	}
	slices.SortStableFunc(found, func(x, y int) int { return cmp.Compare(key(y), key(x)) })
	return found
}

// asks draws questions whose answers are found by reading everything.
func asks(docs []Doc, paths map[[20]byte][]string, n int) (list []ask) {
	r := rand.New(rand.NewPCG(5, 6))
	for len(list) < n {
		d := docs[r.IntN(len(docs))]
		text := d.Name
		a := ask{Adult: d.Adult}
		if a.Files = r.IntN(4) == 0; a.Files && len(paths[d.Infohash]) > 0 && r.IntN(2) == 0 {
			text = paths[d.Infohash][r.IntN(len(paths[d.Infohash]))]
		}
		all := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" .-_[]()/<>\"", c) })
		if len(all) == 0 {
			continue
		}
		for range 1 + r.IntN(4) {
			a.Q += all[r.IntN(len(all))] + " "
		}
		switch r.IntN(6) {
		case 0:
			i := r.IntN(len(all))
			a.Q += `"` + strings.Join(all[i:min(len(all), i+3)], " ") + `"`
			a.Files = false
		case 1:
			a.Type = d.Type
		case 2:
			a.Size = fmt.Sprint(SizeClass(d.Size))
		case 3:
			a.Order = []string{"size", "date"}[r.IntN(2)]
		case 4:
			if d.Year > 0 {
				a.Year = fmt.Sprint(d.Year)
			}
			if len(d.Countries) > 0 {
				a.Country = d.Countries[0]
			}
		}
		a.Page = r.IntN(3) / 2
		list = append(list, a)
	}
	return list
}

// The client finds what reading every name finds.
func TestFindsWhatIsThere(t *testing.T) {
	docs, paths := corpus(t, 6000, true)
	for _, z := range []sizes{small(), usual()} {
		folder, docs := buildIndex(t, docs, paths, 2, z)
		list, truth := asks(docs, paths, 250), readAll(docs, paths)
		exact, read, neighbours := 0, 0, 0 // packs of rows: those read, and those that have the rows among their neighbours'
		for i, got := range query(t, folder, list) {
			a := list[i]
			want := truth.matches(a)
			if got.Error != "" {
				t.Errorf("%+v: %s", a, got.Error)
				continue
			}
			homes := map[int]bool{}
			for _, d := range got.Docs {
				homes[d/z.rows] = true
			}
			neighbours += len(homes)
			for _, f := range got.Read {
				if strings.HasPrefix(f, "r/") || strings.Contains(f, "/w/") {
					read++
				}
			}
			if got.Kind == "exact" {
				if exact++; got.Count != len(want) {
					t.Errorf("%+v: %d found, %d are there", a, got.Count, len(want))
				}
			}
			if got.Kind == "atLeast" && got.Count > len(want) {
				t.Errorf("%+v: at least %d found, %d are there", a, got.Count, len(want))
			}
			if got.Of > 0 { // ordered among a part
				continue
			}
			page := want[min(len(want), 50*a.Page):min(len(want), 50*a.Page+50)]
			if got.Kind == "atLeast" { // what was not looked at may be missing at the end
				page = page[:min(len(page), len(got.Docs))]
			}
			if diff := gocmp.Diff(page, got.Docs, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%+v (%s): %s", a, got.Kind, diff)
			}
			for k, row := range got.Rows {
				d := docs[got.Docs[k]]
				if row.Infohash != hex.EncodeToString(d.Infohash[:]) || row.Size != fourDigits(d.Size) || row.Day != int64(d.Day) || row.Files != d.Files || row.Year != int64(d.Year) || row.Type != d.Type || row.Demand != d.Demand || row.Name != strings.ToValidUTF8(d.Name, "\ufffd") {
					t.Errorf("row %d is %+v, want %+v", got.Docs[k], row, d)
				}
			}
		}
		if exact < len(list)*2/3 {
			t.Errorf("only %d of %d counts are exact", exact, len(list))
		}
		if read*3 > neighbours*2 {
			t.Errorf("%d packs of rows are read; without those of words %d would be", read, neighbours)
		}
	}
}

// fourDigits is a size as rows have it.
func fourDigits(size int64) int64 {
	unit := int64(1)
	for size/unit > 9999 {
		unit *= 10
	}
	return size / unit * unit
}

// Hostile questions have an answer or none, never an error, and are quick.
func TestHostileQuestions(t *testing.T) {
	docs, paths := corpus(t, 3000, false)
	folder, docs := buildIndex(t, docs, paths, 2, small())
	var list []ask
	for _, q := range append(slices.Clone(hostile), "__proto__", "constructor", "!!!", "\"", `""`, `"a`, strings.Repeat("x", 10_000), strings.Repeat("a b ", 2500), strings.Repeat(`"`, 9999),
		"the of and", "\x00", "\u202e", "\ud7ff", strings.Repeat("猫", 5000)) {
		list = append(list, ask{Q: q}, ask{Q: q, Typing: true}, ask{Q: q, Files: true})
	}
	for i, got := range query(t, folder, list) {
		if got.Error != "" {
			t.Errorf("%.80q: %s", list[i].Q, got.Error)
		}
	}
	for q, name := range map[string]string{"__proto__": "__proto__ constructor toString", "zerowidth": "zero\u200bwidth", "猫": "猫の恩返し", "恩返": "猫の恩返し", "foognp": "foo\u202egnp.exe bar"} {
		got := query(t, folder, []ask{{Q: q}})[0]
		if !slices.ContainsFunc(got.Docs, func(d int) bool { return docs[d].Name == name }) {
			t.Errorf("%q does not find %q", q, name)
		}
	}
}

// While a word is being typed, it stands for all that begin so.
func TestTyping(t *testing.T) {
	docs, paths := corpus(t, 6000, false)
	folder, docs := buildIndex(t, docs, paths, 2, small())
	truth := readAll(docs, paths)
	var list []ask
	for _, q := range []string{"g", "gh", "gho", "ghosts o", "10", "1080p we", "the ha", "и", "夜", "zzzz", "x26", "ghosts of "} {
		list = append(list, ask{Q: q, Typing: true})
	}
	for i, got := range query(t, folder, list) {
		a := list[i]
		a.Typing = !strings.HasSuffix(a.Q, " ")
		want := truth.matches(a)
		if got.Count > len(want) && got.Kind != "about" || got.Kind == "exact" && got.Count != len(want) || len(want) > 0 && len(got.Docs) == 0 {
			t.Errorf("%q: %s %d, there are %d", a.Q, got.Kind, got.Count, len(want))
		}
		for _, d := range got.Docs {
			if !slices.Contains(want, d) {
				t.Errorf("%q finds %q", a.Q, docs[d].Name)
			}
		}
	}
}

// In names of files, and with choices made beside the box, what a beginning of words finds
// is the first of all that there is, and is called all only where it is.
func TestTypingWithChoices(t *testing.T) {
	docs, paths := corpus(t, 6000, true)
	folder, docs := buildIndex(t, docs, paths, 2, small())
	truth := readAll(docs, paths)
	var list []ask
	for _, q := range []string{"m", "s", "e", "0", "t", "the s", "x26"} {
		for _, files := range []bool{true, false} {
			list = append(list, ask{Q: q, Typing: true, Files: files}, ask{Q: q, Typing: true, Files: files, Type: "movie"},
				ask{Q: q, Typing: true, Files: files, Type: "tv", Size: "1"}, ask{Q: q, Typing: true, Files: files, Year: "2021"})
		}
	}
	for i, got := range query(t, folder, list) {
		a := list[i]
		want := truth.matches(a)
		if got.Error != "" || got.Kind == "exact" && got.Count != len(want) || got.Kind == "atLeast" && got.Count > len(want) {
			t.Errorf("%+v: %s %d, there are %d %s", a, got.Kind, got.Count, len(want), got.Error)
		}
		if diff := gocmp.Diff(want[:min(len(want), len(got.Docs))], got.Docs, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%+v (%s): %s", a, got.Kind, diff)
		}
	}
}

// Whoever turns the pages of another order sees everything once, and in that order.
func TestPagesOfAnotherOrder(t *testing.T) {
	docs, paths := corpus(t, 6000, false)
	folder, docs := buildIndex(t, docs, paths, 2, small())
	var list []ask
	for _, q := range []string{`"web dl"`, `"1080p bluray"`, `"of the"`, "the", "1080p x264", ""} {
		for _, order := range []string{"size", "date"} {
			list = append(list, ask{Q: q, Order: order, Pages: 4}, ask{Q: q + " t", Typing: true, Order: order, Pages: 4})
		}
	}
	for i, got := range query(t, folder, list) {
		seen := map[int]bool{}
		last := 1 << 20
		for _, d := range got.Docs {
			key := int(sizeCode(docs[d].Size))
			if list[i].Order == "date" {
				key = docs[d].Day
			}
			if seen[d] || key > last {
				t.Errorf("%+v: document %d (%d) comes after %d, or twice", list[i], d, key, last)
				break
			}
			seen[d], last = true, key
		}
		if got.Error != "" || !got.More || len(got.Docs) <= 50 {
			t.Errorf("%+v: %d on four pages, more: %v %s", list[i], len(got.Docs), got.More, got.Error)
		}
	}
}

// Rows that are at hand cost nothing: where all are, pages are full.
func TestWhatIsAtHandIsLookedAt(t *testing.T) {
	docs, paths := corpus(t, 6000, false)
	folder, docs := buildIndex(t, docs, paths, 2, small())
	truth := readAll(docs, paths)
	list := asks(docs, nil, 100)
	list = slices.DeleteFunc(list, func(a ask) bool { return a.Order != "" || a.Page > 0 })
	for i := range list {
		list[i].Warm, list[i].Files = true, false
	}
	for i, got := range query(t, folder, list) {
		want := truth.matches(list[i])
		if diff := gocmp.Diff(want[:min(50, len(want))], got.Docs, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%+v (%s): %s", list[i], got.Kind, diff)
		}
	}
}

// A page that is not full, because more would have to be read than a question may, can
// be filled by looking further.
func TestLookingFurther(t *testing.T) {
	docs, paths := corpus(t, 6000, false)
	folder, docs := buildIndex(t, docs, paths, 2, small())
	truth := readAll(docs, paths)
	var list, short []ask
	for i := 0; i < 3000; i += 30 {
		if w := strings.FieldsFunc(docs[i].Name, func(c rune) bool { return strings.ContainsRune(" .-_", c) }); len(w) > 2 && !docs[i].Adult {
			list = append(list, ask{Q: `"` + w[1] + " " + w[2] + `"`})
		}
	}
	for i, got := range query(t, folder, list) {
		if want := truth.matches(list[i]); got.Further {
			short = append(short, list[i], list[i])
			short[len(short)-2].Further, short[len(short)-1].Further = 1, 100
		} else if len(got.Docs) < min(50, len(want)) {
			t.Errorf("%+v: %d of %d, and no way further", list[i], len(got.Docs), len(want))
		}
	}
	if len(short) == 0 {
		t.Fatal("all pages are full at once")
	}
	for i, got := range query(t, folder, short) {
		want := truth.matches(short[i])
		want = want[:min(50, len(want))]
		if short[i].Further > 1 {
			if diff := gocmp.Diff(want, got.Docs, cmpopts.EquateEmpty()); diff != "" || got.Further {
				t.Errorf("%+v: %s further: %v", short[i], diff, got.Further)
			}
		} else if diff := gocmp.Diff(want[:min(len(want), len(got.Docs))], got.Docs, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%+v: %s", short[i], diff)
		}
	}
}

// Two beginnings of many words have no list but those of their first documents.
func TestTwoOpenWords(t *testing.T) {
	docs := make([]Doc, 2000)
	for i := range docs {
		docs[i] = Doc{Name: fmt.Sprintf("猫%c m%04d", 0x4e00+i, i), Type: "movie", Infohash: [20]byte{byte(i), byte(i >> 8)}}
	}
	folder, docs := buildIndex(t, docs, nil, 2, small())
	for _, got := range query(t, folder, []ask{{Q: "猫 m", Typing: true}, {Q: "猫 m", Typing: true, Files: true}, {Q: "猫 m", Typing: true, Page: 1}}) {
		if got.Error != "" || len(got.Docs) != 50 || got.Docs[0]%50 != 0 || got.Docs[49] != got.Docs[0]+49 {
			t.Errorf("of %d: %+v", len(docs), got)
		}
	}
}

// The same documents give the same bytes, whatever their order and the workers.
func TestSameDocumentsSameBytes(t *testing.T) {
	docs, paths := corpus(t, 3000, true)
	one, _ := buildIndex(t, docs, paths, 1, small())
	slices.Reverse(docs)
	four, _ := buildIndex(t, docs, paths, 4, small())
	if diff := gocmp.Diff(digests(t, one), digests(t, four)); diff != "" {
		t.Error(diff)
	}
	if filepath.Base(one) != filepath.Base(four) {
		t.Errorf("the folders are %s and %s", filepath.Base(one), filepath.Base(four))
	}
}

func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		sum := sha256.Sum256(b)
		name, _ := filepath.Rel(dir, path)
		sums[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

// Documents are in the order of what is published of their demand; what is not tells nothing.
func TestNumberingTellsNoMoreThanIsPublished(t *testing.T) {
	docs, paths := corpus(t, 3000, false)
	_, numbered := buildIndex(t, docs, paths, 2, small())
	for i := 1; i < len(numbered); i++ {
		a, b := &numbered[i-1], &numbered[i]
		if a.Adult == b.Adult && a.Demand < b.Demand || a.Adult && !b.Adult {
			t.Fatalf("document %d (%d) comes before %d (%d)", i-1, a.Demand, i, b.Demand)
		}
	}
	// Among equals, the order follows from names alone: rename, and it changes with them.
	for i := range docs {
		docs[i].Name, docs[i].Title = fmt.Sprintf("%08d", i*7919%3000), ""
		docs[i].Demand = 0
	}
	_, numbered = buildIndex(t, docs, paths, 2, small())
	if !slices.IsSortedFunc(numbered, func(a, b Doc) int {
		return cmp.Or(cmp.Compare(truth(a.Adult), truth(b.Adult)), cmp.Compare(a.Name, b.Name))
	}) {
		t.Error("documents without published demand are not in the order of their names")
	}
}

// Without words, everything is there, page by page.
func TestNothingAsked(t *testing.T) {
	docs, paths := corpus(t, 300, false)
	folder, docs := buildIndex(t, docs, paths, 2, small())
	general := 0
	for _, d := range docs {
		general += 1 - truth(d.Adult)
	}
	seen := map[int]bool{}
	for page, got := range query(t, folder, []ask{{}, {Page: 1}, {Page: 2}, {Page: 3}, {Page: 4}, {Page: 5}}) {
		for _, d := range got.Docs {
			seen[d] = true
		}
		if got.Kind != "exact" || got.Count != general || got.More != (50*(page+1) < general) {
			t.Errorf("page %d: %s %d of %d, more: %v", page, got.Kind, got.Count, general, got.More)
		}
	}
	if len(seen) != general {
		t.Errorf("%d of %d are on some page", len(seen), general)
	}
}

func TestEmptyIndex(t *testing.T) {
	folder, _ := buildIndex(t, nil, nil, 2, usual())
	for _, got := range query(t, folder, []ask{{Q: "film"}, {}, {Q: "fil", Typing: true}, {Type: "movie"}}) {
		if got.Error != "" || got.Count != 0 {
			t.Errorf("an empty index: %+v", got)
		}
	}
}

// Files that are cut, changed or missing end in an answer or an error, never in a loop or
// in numbers of documents that do not exist.
func TestDamagedFiles(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node here to run the client with")
	}
	docs, paths := corpus(t, 2000, true)
	folder, _ := buildIndex(t, docs, paths, 2, small())
	cmd := exec.CommandContext(t.Context(), node, "../web/js/test/damage.js", folder, "600")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Answers, Errors int
		Faults          []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Faults) > 0 || got.Errors < 50 || got.Answers < 50 {
		t.Errorf("%d answers, %d errors, faults %q", got.Answers, got.Errors, got.Faults)
	}
}
