package column

import (
	"encoding/binary"
	"math/bits"
)

// appendHybrid appends values in Parquet's RLE and bit-packed hybrid encoding:
// as runs alone where that is shorter, which also packs faster afterwards.
func appendHybrid(dst []byte, values []uint32, width int) []byte {
	if width == 0 {
		return appendUvarint(dst, uint64(len(values))<<1)
	}
	if runsAreShorter(countRuns(values), len(values), width) {
		return appendRuns(dst, values, width)
	}
	return appendMixed(dst, values, width)
}

// runsAreShorter tells whether values take fewer bytes as runs than packed.
func runsAreShorter(runs, values, width int) bool { return runs*(1+(width+7)/8) < values*width/8 }

func countRuns(values []uint32) int {
	if len(values) == 0 {
		return 0
	}
	runs := uint32(1)
	last := values[0]
	for _, v := range values {
		differ := v ^ last
		runs += (differ | -differ) >> 31
		last = v
	}
	return int(runs)
}

// appendRuns appends every run of equal values as a count and the value.
func appendRuns(dst []byte, values []uint32, width int) []byte {
	for i := 0; i < len(values); {
		j := i + 1
		for j < len(values) && values[j] == values[i] {
			j++
		}
		dst = appendUvarint(dst, uint64(j-i)<<1)
		dst = appendValue(dst, values[i], width)
		i = j
	}
	return dst
}

// appendMixed appends runs of eight or more equal values as a count and the
// value, all else packed in groups of eight.
func appendMixed(dst []byte, values []uint32, width int) []byte {
	packed := 0 // values[packed:i] wait to be packed
	for i := 0; i < len(values); {
		run := 1
		for i+run < len(values) && values[i+run] == values[i] {
			run++
		}
		// Packed groups hold eight values each: a run gives up what fills the last one.
		if fill := -(i - packed) & 7; run >= 8+fill {
			i += fill
			run -= fill
			dst = appendPacked(dst, values[packed:i], width)
			dst = appendUvarint(dst, uint64(run)<<1)
			dst = appendValue(dst, values[i], width)
			i += run
			packed = i
			continue
		}
		i += run
	}
	return appendPacked(dst, values[packed:], width)
}

func appendUvarint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

func appendValue(dst []byte, v uint32, width int) []byte {
	for n := (width + 7) / 8; n > 0; n-- {
		dst = append(dst, byte(v))
		v >>= 8
	}
	return dst
}

// appendPacked appends a bit-packed run; the last group is filled with zeros.
func appendPacked(dst []byte, values []uint32, width int) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = appendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	var acc uint64
	held := 0
	for _, v := range values {
		acc |= uint64(v) << held
		held += width
		for held >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(acc))
			acc >>= 32
			held -= 32
		}
	}
	for ; held > 0; held -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	for len(dst) < end {
		dst = append(dst, 0)
	}
	return dst
}

const (
	deltaBlock = 128
	deltaMini  = 32
)

// appendDelta appends numbers in DELTA_BINARY_PACKED encoding.
func appendDelta(dst []byte, values []int64) []byte {
	dst = appendUvarint(dst, deltaBlock)
	dst = appendUvarint(dst, deltaBlock/deltaMini)
	dst = appendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return appendUvarint(dst, 0)
	}
	dst = binary.AppendVarint(dst, values[0])
	var deltas [deltaBlock]int64
	last := values[0]
	for rest := values[1:]; len(rest) > 0; {
		n := min(len(rest), deltaBlock)
		for i, v := range rest[:n] {
			deltas[i] = v - last // may wrap around, as the format means it to
			last = v
		}
		dst = appendDeltaBlock(dst, deltas[:n])
		rest = rest[n:]
	}
	return dst
}

func appendDeltaBlock(dst []byte, deltas []int64) []byte {
	least := deltas[0]
	for _, d := range deltas {
		least = min(least, d)
	}
	dst = binary.AppendVarint(dst, least)
	widths := len(dst)
	dst = append(dst, make([]byte, deltaBlock/deltaMini)...)
	for m := 0; m*deltaMini < len(deltas); m++ {
		mini := deltas[m*deltaMini : min((m+1)*deltaMini, len(deltas))]
		var all uint64
		for _, d := range mini {
			all |= uint64(d - least)
		}
		width := bits.Len64(all)
		dst[widths+m] = byte(width)
		dst = appendMini(dst, mini, least, width)
	}
	return dst
}

// appendMini packs one miniblock of 32 numbers, of which the missing are zero.
func appendMini(dst []byte, mini []int64, least int64, width int) []byte {
	end := len(dst) + deltaMini*width/8
	var acc uint64
	held := 0
	for _, d := range mini {
		v := uint64(d - least)
		acc |= v << held
		if held+width < 64 {
			held += width
			continue
		}
		dst = binary.LittleEndian.AppendUint64(dst, acc)
		acc = 0
		if used := 64 - held; used < 64 {
			acc = v >> used
		}
		held += width - 64
	}
	for ; held > 0; held -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	for len(dst) < end {
		dst = append(dst, 0)
	}
	return dst
}
