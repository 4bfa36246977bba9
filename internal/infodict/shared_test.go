package infodict

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/anacrolix/torrent/metainfo"
)

// TestLibtorrentsFiles reads the malformed torrents that libtorrent is tested
// with, where they lie beside the repository. Those that libtorrent 2.1.1
// refuses are listed with the reason they get here, or with what they are kept
// for; it loads all others, and so does this package.
func TestLibtorrentsFiles(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "data", "torrents")
	files, _ := filepath.Glob(filepath.Join(folder, "*.torrent"))
	if len(files) == 0 {
		t.Skip("no torrents in " + folder)
	}
	const (
		layers = "" // kept: its fault is in the piece layers, which are no part of an info dictionary
		name   = "" // kept: a name of NULs only, which the info-hash stands in for
		same   = "" // kept: more than a hundred files of one path, which libtorrent could not rename
	)
	refused := map[string]Reason{
		"bad_name": name, "duplicate_files2": same,
		"v2_invalid_piece_layer": layers, "v2_invalid_piece_layer_root": layers, "v2_invalid_piece_layer_size": layers,
		"v2_invalid_root_hash": layers, "v2_non_multiple_piece_layer": layers, "v2_piece_layer_invalid_file_hash": layers,
		"v2_unknown_piece_layer_entry": layers,

		"invalid_file_size": BadSize, "negative_file_size": BadSize, "negative_size": BadSize, "v2_large_file": BadSize,
		"invalid_info": NoInfo, "string": NoInfo,
		"invalid_name": NoName, "no_name": NoName,
		"invalid_path_list": BadPath, "invalid_symlink": BadPath, "missing_path_list": BadPath, "v2_empty_filename": BadPath,
		"invalid_piece_len": BadPieceLength, "missing_piece_len": BadPieceLength, "negative_piece_len": BadPieceLength,
		"v2_no_power2_piece": BadPieceLength, "v2_piece_size": BadPieceLength,
		"invalid_pieces": BadPieces, "many_pieces": BadPieces, "unaligned_pieces": BadPieces,
		"v2_bad_file_alignment": BadPieces, // and its two lists of files differ
		"no_files":              NoContent, "zero": NoContent, "zero2": NoContent,
		"v2_deep_recursion": TooDeep, "v2_large_offset": TooLarge,
		"v2_invalid_file": BadFiles, "v2_invalid_pad_file": BadFiles,
		"v2_mismatching_metadata": V1V2Mismatch,
		"v2_overlong_integer":     NotCanonical, "v2_unordered_files": NotCanonical,
		"v2_missing_file_root_invalid_symlink": BadRoot, "v2_zero_root": BadRoot, "v2_zero_root_small": BadRoot,
	}
	for _, path := range files {
		base := filepath.Base(path)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ev, err := FromTorrent(b)
		var why *Error
		if errors.As(err, &why); why == nil {
			why = &Error{}
		}
		if want := refused[base[:len(base)-len(".torrent")]]; why.Reason != want {
			t.Errorf("%s: %v, want %q", base, err, want)
		}
		if err != nil {
			continue
		}
		checkEvent(t, ev)
		if mi, err := metainfo.LoadFromFile(path); err == nil {
			compareWithMetainfo(t, mi.InfoBytes, ev)
		}
	}
}
