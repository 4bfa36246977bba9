package column_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/boontorrent/boon/etl/column"
)

type row struct {
	Ts    int64    `parquet:"ts,timestamp(microsecond)"`
	Hash  [20]byte `parquet:"hash"`
	Text  *string  `parquet:"text"`
	Count *int64   `parquet:"count"`
	Small int32    `parquet:"small"`
	Where *float64 `parquet:"where"`
	Flag  *bool    `parquet:"flag"`
	Must  bool     `parquet:"must"`
	Kind  string   `parquet:"kind"`
	Path  string   `parquet:"path"`
}

// randomRows makes n rows with runs, nulls, few and many distinct values.
func randomRows(r *rand.Rand, n int) []row {
	rows := make([]row, n)
	runs := 1 + r.IntN(40)
	for i := range rows {
		if i > 0 && r.IntN(runs) != 0 {
			rows[i] = rows[i-1]
		} else {
			fill(r, &rows[i])
		}
		rows[i].Ts = int64(r.Uint64() >> r.IntN(60))
		if r.IntN(50) == 0 {
			rows[i].Ts = []int64{math.MinInt64, math.MaxInt64, 0, -1}[r.IntN(4)]
		}
	}
	return rows
}

func fill(r *rand.Rand, x *row) {
	*x = row{Small: int32(r.IntN(3000) - 1500), Must: r.IntN(2) == 0, Kind: "only"}
	x.Path = strings.Repeat("path/", r.IntN(9)) + string(rune(r.IntN(0x3000)))
	x.Hash[r.IntN(20)] = byte(r.IntN(256))
	if r.IntN(3) > 0 {
		text := []string{"", "a", "Ünïcode", "long text with \x00 and more"}[r.IntN(4)]
		count, where, flag := int64(r.IntN(5))-2, r.Float64()*180-90, r.IntN(2) == 0
		x.Text, x.Count, x.Where, x.Flag = &text, &count, &where, &flag
	}
}

// interned gives equal values one index.
func interned[T comparable](d *column.Dict, seen map[T]uint32, v T, add func(T) uint32) {
	i, ok := seen[v]
	if !ok {
		i = add(v)
		seen[v] = i
	}
	add1(d, i)
}

func add1(d *column.Dict, i uint32) {
	if d.InRuns {
		d.AddN(i, 1)
	} else {
		d.Add(i)
	}
}

// encode makes a row group, with the columns that have a dictionary kept as rows
// or as runs.
func encode(t testing.TB, s *column.Schema, rows []row, inRuns bool) *column.Group {
	t.Helper()
	ts := &column.Longs{}
	hash, text, count, small, where, kind := column.NewFixedDict(20), column.NewDict(), column.NewInt64Dict(), column.NewInt32Dict(), column.NewDoubleDict(), column.NewDict()
	for _, d := range []*column.Dict{hash, text, count, small, where, kind} {
		d.InRuns = inRuns
	}
	flag, must := &column.Bools{}, &column.Bools{}
	hs, xs, cs, ss, ws, ks := map[[20]byte]uint32{}, map[string]uint32{}, map[int64]uint32{}, map[int32]uint32{}, map[float64]uint32{}, map[string]uint32{}
	path := &column.Texts{}
	for _, r := range rows {
		path.Add(r.Path)
		ts.Rows = append(ts.Rows, r.Ts)
		interned(hash, hs, r.Hash, func(h [20]byte) uint32 { return hash.Bytes(h[:]) })
		interned(small, ss, r.Small, small.Int32)
		interned(kind, ks, r.Kind, kind.Text)
		must.Rows = append(must.Rows, map[bool]byte{true: column.True}[r.Must])
		if r.Text == nil {
			add1(text, column.Null)
			add1(count, column.Null)
			add1(where, column.Null)
			flag.Rows = append(flag.Rows, column.NoBit)
			continue
		}
		interned(text, xs, *r.Text, text.Text)
		interned(count, cs, *r.Count, count.Int64)
		interned(where, ws, *r.Where, where.Double)
		flag.Rows = append(flag.Rows, map[bool]byte{true: column.True}[*r.Flag])
	}
	e, err := column.NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	columns := []column.Column{ts, hash, text, count, small, where, flag, must, kind, path}
	if err := e.Pages(columns); err != nil { // what fills pages goes first
		t.Fatal(err)
	}
	if len(ts.Rows) >= column.PageRows {
		t.Errorf("%d rows are left after Pages", len(ts.Rows))
	}
	g, err := e.Encode(columns)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// What is written is what parquet-go reads, for any rows.
func TestReadBack(t *testing.T) {
	s, err := column.SchemaOf[row]()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 7))
	for _, sizes := range [][]int{{}, {1}, {7, 8, 9}, {127, 128, 129, 130}, {5000, 1}, {140000}} {
		var file, inRuns bytes.Buffer
		w, err := column.NewWriter(&file, s, "kind", "ts")
		if err != nil {
			t.Fatal(err)
		}
		w2, err := column.NewWriter(&inRuns, s, "kind", "ts")
		if err != nil {
			t.Fatal(err)
		}
		var want []row
		for _, n := range sizes {
			rows := randomRows(r, n)
			want = append(want, rows...)
			if err := errors.Join(w.Append(encode(t, s, rows, false)), w2.Append(encode(t, s, rows, true))); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), w2.Close()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(file.Bytes(), inRuns.Bytes()) {
			t.Errorf("%v: rows kept as runs give other bytes", sizes)
		}
		if w.Size() != int64(file.Len()) || w.Rows() != int64(len(want)) {
			t.Errorf("Size %d of %d bytes, Rows %d of %d", w.Size(), file.Len(), w.Rows(), len(want))
		}
		got, err := parquet.Read[row](bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatalf("%v: %v", sizes, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%v: read %d rows, want %d", sizes, len(got), len(want))
		}
		for i := range want {
			if diff := cmp.Diff(want[i], got[i]); diff != "" {
				t.Fatalf("%v: row %d: %s", sizes, i, diff)
			}
		}
	}
}

func TestWrongColumns(t *testing.T) {
	s, err := column.SchemaOf[row]()
	if err != nil {
		t.Fatal(err)
	}
	e, err := column.NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Encode([]column.Column{&column.Longs{}}); err == nil {
		t.Error("too few columns were taken")
	}
	if _, err := column.SchemaOf[struct {
		L []int32 `parquet:"l,list"`
	}](); err == nil {
		t.Error("a schema with a list was taken")
	}
}

func BenchmarkEncode(b *testing.B) {
	s, err := column.SchemaOf[row]()
	if err != nil {
		b.Fatal(err)
	}
	rows := randomRows(rand.New(rand.NewPCG(1, 1)), 100000)
	b.Run("columns", func(b *testing.B) {
		for b.Loop() {
			encode(b, s, rows, true)
		}
	})
	b.Run("parquet_go", func(b *testing.B) {
		for b.Loop() {
			var file bytes.Buffer
			w := parquet.NewGenericWriter[row](&file, parquet.Compression(&parquet.Zstd))
			if _, err := w.Write(rows); err != nil {
				b.Fatal(err)
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
