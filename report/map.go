//go:build cgo && !noduck

package report

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A day of the map is one file, map/<day>-<digest>.gz, which the page's script
// unpacks. In it, integers being little-endian:
//
//	4 bytes   "BMAP"
//	uint16    cells n
//	n uint16  the cells' numbers, ascending (internal/duck, macro cell)
//	25 × n    levels: for each hour, and then for the whole day, a byte a cell
//	text      n lines: city, tab, country code; empty where neither may be said
//
// A level is a count of requesters: tens up to 1,000, then steps of 3%; 0 is too few.

const (
	mapMagic  = "BMAP"
	wholeDay  = 24 // the "hour" of all the day
	levelTens = 100
	levelStep = 1.03
)

// levelOf is the level of a count of requesters.
func levelOf(requesters int64) byte {
	if requesters <= 10*levelTens {
		return byte((requesters + 5) / 10)
	}
	return byte(min(255, levelTens+math.Round(math.Log(float64(requesters)/(10*levelTens))/math.Log(levelStep))))
}

// mapDay is the map of a day.
type mapDay struct {
	Day, File string
	Cells     []mapCell
}

// mapCell is a cell of the map, of at most 111 by 111 km.
type mapCell struct {
	Cell          int64
	Lat, Lon      float64
	City, Country string
	Requesters    [wholeDay + 1]int64 // by hour, and of the whole day; 0 is too few
}

// Busiest are the cells asked from most in the day, which the page lists.
func (d mapDay) Busiest() []mapCell { return busiest(d.Cells, 100) }

// WholeDay is the count of the whole day.
func (c mapCell) WholeDay() int64 { return c.Requesters[wholeDay] }

// Place names the cell to people.
func (c mapCell) Place() string {
	country := countryName(c.Country)
	switch {
	case c.City == "":
		return degrees(c.Lat, "N", "S") + ", " + degrees(c.Lon, "E", "W")
	case country == "" || country == c.City:
		return c.City
	}
	return c.City + ", " + country
}

func degrees(v float64, positive, negative string) string {
	if v < 0 {
		v, positive = -v, negative
	}
	return strconv.FormatFloat(math.Round(10*v)/10, 'f', -1, 64) + "°" + positive
}

// readCells asks for the cells of the day whose table place stands.
func (b *builder) readCells(ctx context.Context) (cells []mapCell, err error) {
	q, err := own("cells")
	if err != nil {
		return nil, err
	}
	err = rows(ctx, b.db, q, map[string]string{"k": strconv.Itoa(b.o.K)}, func(row []any) error {
		id := integer(row[0])
		if len(cells) == 0 || cells[len(cells)-1].Cell != id {
			lat, _ := row[5].(float64)
			lon, _ := row[6].(float64)
			cells = append(cells, mapCell{Cell: id, City: text(row[3]), Country: text(row[4]), Lat: lat, Lon: lon})
		}
		cells[len(cells)-1].Requesters[integer(row[1])] = integer(row[2])
		return nil
	})
	return cells, err
}

// encodeCells is a day's file, unpacked.
func encodeCells(cells []mapCell) ([]byte, error) {
	if len(cells) > math.MaxUint16 {
		return nil, fmt.Errorf("a map of %d cells: there are only 64,800", len(cells))
	}
	out := binary.LittleEndian.AppendUint16([]byte(mapMagic), uint16(len(cells)))
	for _, c := range cells {
		out = binary.LittleEndian.AppendUint16(out, uint16(c.Cell))
	}
	for hour := range wholeDay + 1 {
		for _, c := range cells {
			out = append(out, levelOf(c.Requesters[hour]))
		}
	}
	for _, c := range cells {
		if city := strings.Join(strings.Fields(Shown(c.City)), " "); c.City != "" {
			out = append(out, city+"\t"+c.Country...)
		}
		out = append(out, '\n')
	}
	return out, nil
}

// squeeze packs b; the same bytes give the same file.
func squeeze(b []byte) ([]byte, error) {
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := zip.Write(b); err != nil {
		return nil, err
	}
	err = zip.Close()
	return out.Bytes(), err
}

// busiest are the n cells asked from most in the day.
func busiest(cells []mapCell, n int) []mapCell {
	list := slices.DeleteFunc(slices.Clone(cells), func(c mapCell) bool { return c.Requesters[wholeDay] == 0 })
	slices.SortStableFunc(list, func(a, b mapCell) int {
		return cmp.Or(-cmp.Compare(a.Requesters[wholeDay], b.Requesters[wholeDay]), cmp.Compare(a.Cell, b.Cell))
	})
	return list[:min(n, len(list))]
}
