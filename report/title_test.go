//go:build cgo && !noduck

package report

import (
	"testing"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
)

// A ranking may have more titles than small lakes show: numbers made of a title's
// must not overflow.
func TestManyTitlesAreCounted(t *testing.T) {
	db, err := duck.Open(t.Context(), lake.NewFile(t.TempDir()), duck.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	const number = 5_000_000
	for _, sql := range []string{
		"CREATE TEMP TABLE ranked AS SELECT 5000000::INTEGER AS id, 20::BIGINT AS need",
		"CREATE TEMP TABLE member AS SELECT 7::INTEGER AS w, 5000000::INTEGER AS n",
		"CREATE TEMP VIEW local AS SELECT id FROM ranked",
		`CREATE TEMP TABLE asked AS SELECT DATE '2026-01-05' AS day, 5000000::INTEGER AS n, '2026-w02' AS key_epoch, i AS network, i AS requester,
			'ZW' AS country, 23::UTINYINT AS hour, 64799::INTEGER AS cell FROM range(40) AS r(i)`,
	} {
		if err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	b := &builder{db: db}
	if err := b.countTitles(t.Context(), "torrent"); err != nil {
		t.Fatal(err)
	}
	split, err := own("split")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[int64]int64{}
	err = rows(t.Context(), db, split, nil, func(row []any) error {
		if integer(row[0])/4 != number {
			t.Errorf("title %d, want %d", integer(row[0])/4, number)
		}
		kinds[integer(row[0])%4] = integer(row[2])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind := range int64(4) {
		if kinds[kind] != 40 {
			t.Errorf("kind %d of part: %d requesters, want 40", kind, kinds[kind])
		}
	}
}
