// Package search makes a search engine of plain files: an index that a page's script
// asks for what it needs by plain GETs, from any web server, and no server that answers
// questions. The script is report/web/js/search; report/web/js/test holds tests of both.
//
// # What a text is found by
//
// A text's terms are its words and ideographs. Characters are looked at one by one: those
// that the frozen table (classes.go, made from Unicode 14) calls separators end a word.
// The others are decomposed (NFKD) and put in lower case, combining marks are left out,
// and so are control, zero-width and direction marks, which end no word. A final sigma is
// a sigma. A word is a run of letters and digits; its first 32 characters count. Han and kana are
// written without spaces: of a run of them, each pair of neighbours is a term, and the
// last of the run alone, so that a single one is found as the beginning of a term.
//
// # Numbers of documents
//
// A document is a torrent. Documents are numbered so that a list of them begins with those
// asked for most: general ones first, then adult ones, and in both by falling demand as it is
// published, which is rounded, or not told where too few ask. Equals, and so all those whose
// demand is not told, are in the order of title and name: nothing more can be learned
// from an order, and releases of a work are neighbours, so that their lists and rows
// are small.
//
// # Files
//
// The folder i-<digest> is named after its content and never changes. In it, files
// that end in .gz are gzip, whatever the server says of them:
//
//	root.gz        JSON: sizes, choices for filters, and what separates the shards of n
//	n/<i>.gz       a shard: terms in the order of their bytes, and their lists
//	n/b/<i>.bin    blocks of lists that are too long for their shard
//	n/h/<i>.gz     shards whose terms are beginnings of words, see below
//	files.gz       JSON: what separates the shards of f and f/h
//	f/…            as n, for words of file names that the torrent's name lacks
//	r/<i>.gz       rows of 128 neighbours, see below
//	n/w/<i>.gz     rows of up to 256 documents that follow each other in a word's list
//	c/<i>.gz       columns: for 4,096 documents two bytes of size, then two of day each
//
// A term is in the last shard whose separator is not above it. Filters are terms too,
// which no text has: U+0001, a letter (t type, y year, s class of size, c country)
// and the value. Beginnings of words of up to six characters whose terms lie in more than three
// shards have a list of their own, with the first 256 documents of all of them.
//
// A shard is the number of its terms in two bytes, low one first; for each term how many
// bytes it shares with the one before, how many follow, and those; then a stream of bits
// (the lowest of a byte first) with each term's list:
//
//	list    = count [packs + 1 [pack + 1]] [long] (docs | blocks general file block…)
//	count, packs + 1, pack + 1, blocks, general + 1, file + 1 = Elias gamma
//	packs   = of rows, which the list has of its own: there if count is 16 or more; the
//	          number of the first pack follows if there are any
//	long    = a bit, there if count is 512 or more; 1 is a list in blocks
//	block   = count, distance of its last document from that of the block before (gamma),
//	          then of the first block its docs, of others the bytes + 1 of its file (gamma)
//	docs    = rising numbers by binary interpolation: see bitWriter.between
//
// Interpolation costs next to nothing in runs without gaps and is close to a bitmap where
// a term is in a third of all documents, so there is one code for all lists. The first
// block of a long list is some 1 KB and lies in the shard: where all words of a question
// are common, the first page needs nothing more. The others are files of 4 to 24 KB, of
// which a client fetches those that may hold what it looks for.
//
// # Rows
//
// A pack of rows is the number of its rows in two bytes, low one first; the info-hashes
// in base64; five runs of a byte for each row: low and high byte of the day, low and high byte of the
// first four digits of the size, and how many digits follow them; then JSON with a list for
// each other column.
//
// Results come in the order of demand, in which releases of a work and torrents with a word
// in common lie far apart: fifty results would be read from fifty packs. So the first 2,048
// documents of a word's list have their rows once more in packs of their own, as far
// as their demand is published (those after are neighbours by title anyway) and less than
// eight of them, on average, share a pack with their neighbours. A client takes rows from
// whatever packs are fewest. That is less than a row for each word of a document with
// published demand.
//
// # Bounds
//
// Building keeps documents in memory (some 250 bytes each) and terms in runs on disk. The
// bytes are the same whatever the order of documents and the number of workers. A name
// counts up to 4 KiB, a torrent's files up to 20,000 terms.
package search
