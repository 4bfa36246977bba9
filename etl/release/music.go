package release

// music reads names of the form Artist-Title-SOURCE-YEAR-GROUP.
func (p *Parser) music() {}
