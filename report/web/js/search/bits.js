// What report/search/bits.go writes: bits, the lowest of a byte first.
export class Bits {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at * 8;
  }

  one() {
    const b = this.bytes[this.at >> 3];
    if (b === undefined) throw new RangeError("the file is cut");
    return (b >> (this.at++ & 7)) & 1;
  }

  // read takes n bits, 30 at most.
  read(n) {
    let v = 0;
    for (let have = 0; have < n; ) {
      const b = this.bytes[this.at >> 3];
      if (b === undefined) throw new RangeError("the file is cut");
      const take = Math.min(8 - (this.at & 7), n - have);
      v |= ((b >> (this.at & 7)) & ((1 << take) - 1)) << have;
      have += take;
      this.at += take;
    }
    return v;
  }

  gamma() {
    let n = 0;
    while (!this.one()) if (++n > 30) throw new RangeError("the file is damaged");
    return this.read(n) + 2 ** n;
  }

  bounded(limit) {
    const n = 31 - Math.clz32(limit);
    const short = 2 ** (n + 1) - limit;
    const v = this.read(n);
    return v < short ? v : v * 2 + this.one() - short;
  }

  // between reads n rising numbers that lie from low to high into list at place.
  between(list, place, n, low, high) {
    while (n > 0) {
      if (high - low + 1 < n) throw new RangeError("the file is damaged");
      if (high - low + 1 === n) {
        for (let i = 0; i < n; i++) list[place + i] = low + i;
        return;
      }
      const m = n >> 1;
      const v = low + m + this.bounded(high - low + 2 - n);
      list[place + m] = v;
      if (m > 0) this.between(list, place, m, low, v - 1);
      place += m + 1;
      n -= m + 1;
      low = v + 1;
    }
  }
}
