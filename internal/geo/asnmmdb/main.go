// Asnmmdb turns lists of autonomous systems, as npm's @ip-location-db/asn has
// them (first address, last address, number, name), into a MaxMind DB file:
//
//	asnmmdb OUT.mmdb asn-ipv4.csv asn-ipv6.csv
//
// fetch.sh runs it. The file's build time is 2000-01-01 for all lists: it is
// told apart by its digest.
package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

const buildEpoch = 946684800

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: asnmmdb OUT.mmdb LIST.csv…")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "asnmmdb:", err)
		os.Exit(1)
	}
}

func run(out string, lists []string) error {
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: "ASN", BuildEpoch: buildEpoch, RecordSize: 24, KeyGenerator: byNumber{},
		Description: map[string]string{"en": "Autonomous systems of @ip-location-db/asn"},
	})
	if err != nil {
		return err
	}
	for _, path := range lists {
		n, err := load(tree, path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if n == 0 {
			return fmt.Errorf("%s: no networks in it", path)
		}
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	_, err = tree.WriteTo(f)
	return errors.Join(err, f.Close())
}

// byNumber lets the writer tell records apart by their number, which is much
// faster than by their digest.
type byNumber struct{}

func (byNumber) Key(v mmdbtype.DataType) ([]byte, error) {
	record, ok := v.(mmdbtype.Map)
	number, isNumber := record["autonomous_system_number"].(mmdbtype.Uint32)
	if !ok || !isNumber {
		return nil, errors.New("a record without a number")
	}
	return strconv.AppendUint(nil, uint64(number), 10), nil
}

func load(tree *mmdbwriter.Tree, path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord, r.ReuseRecord = 4, true
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		first, last := net.ParseIP(row[0]), net.ParseIP(row[1])
		number, err := strconv.ParseUint(row[2], 10, 32)
		if err != nil || first == nil || last == nil {
			line, _ := r.FieldPos(0)
			return n, fmt.Errorf("line %d is not first address, last address, number, name", line)
		}
		err = tree.InsertRange(first, last, mmdbtype.Map{
			"autonomous_system_number":       mmdbtype.Uint32(number),
			"autonomous_system_organization": mmdbtype.String(row[3]),
		})
		var reserved *mmdbwriter.ReservedNetworkError
		var aliased *mmdbwriter.AliasedNetworkError
		switch {
		case errors.As(err, &reserved), errors.As(err, &aliased): // nobody's
		case err != nil:
			return n, err
		default:
			n++
		}
	}
}
