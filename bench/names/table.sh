#!/usr/bin/env bash
# Prints a Markdown table: each parser's scores on the labelled files given, by the scorer in etl/release/eval.
# What the parsers say of their speed goes to standard error. Run by make bench-names.
set -euo pipefail
here="$(dirname "$0")"
header="| parser" rule="|---"
for file in "$@"; do
	header+=" | KEY $(basename "${file%.*}")" rule+="|--:"
done
echo "$header | title | year | season | episode | resolution | source | codec | group |"
echo "$rule|--:|--:|--:|--:|--:|--:|--:|--:|"
"$BIN/eval" -row boon "$@"
"$BIN/eval" -row "guessit 4.4.0" "$@" -- "$PYTHON" "$here/guess.py"
"$BIN/eval" -row "go-ptt v0.14.1" "$@" -- "$BIN/names" ptt
"$BIN/eval" -row "rls v0.6.0" "$@" -- "$BIN/names" rls
