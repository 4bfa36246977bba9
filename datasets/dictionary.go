package datasets

import _ "embed"

//go:embed dictionary.yaml
var dictionary string

// DictionaryYAML is the text of dictionary.yaml: what every column means.
func DictionaryYAML() string { return dictionary }
