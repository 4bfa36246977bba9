package release

// Content is what kind of thing a torrent holds.
type Content struct {
	Type       string  // movie tv anime music audiobook book comic game software course adult other
	Newznab    int32   // the category's number
	Adult      bool    // true for the type adult only
	Confidence float32 // 0 to 1
	Evidence   string  // what spoke for it
}

// Classify tells what a torrent holds from its name and its files. r is the name parsed. Media may be empty: then the name
// alone speaks, with less confidence.
func Classify(r *Release, name string, m Media) Content {
	_ = name
	return Content{Type: "other", Newznab: 8000}
}
