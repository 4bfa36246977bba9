package etl

// Spill makes even a small day fill its buffers and go to temporary files.
func (o *Options) Spill() { o.groupRows, o.rowChunk = 4<<10, 256 }
