// The canvas: land, borders and dots, at some zoom.

import { degreesOf, HEIGHT, WIDTH } from "./earth.js";

// A dot's colour and size go by the class its count falls in.
export const CLASSES = [10, 30, 100, 300, 1000, 3000];
const NEAREST = 24; // zoom
const CELLS_FROM = 9; // pixels that a cell is wide when it is drawn as such

export function classOf(count) {
  let c = 0;
  while (c + 1 < CLASSES.length && count >= CLASSES[c + 1]) c++;
  return c;
}

export class Paper {
  constructor(canvas, coast) {
    this.canvas = canvas;
    this.ink = canvas.getContext("2d", { alpha: false });
    this.base = document.createElement("canvas");
    this.baseInk = this.base.getContext("2d", { alpha: false, willReadFrequently: true });
    this.coast = coast;
    this.zoom = 1;
    this.x = 0; // what is in the middle
    this.y = 0;
    this.layer = null; // {cells, corners, middles, counts}
    this.chosen = -1;
    this.cross = false;
    this.dots = [];
    this.recolour();
    this.resize();
  }

  // recolour takes the colours from the style sheet: they follow light and dark.
  recolour() {
    const style = getComputedStyle(this.canvas);
    const of = (name) => style.getPropertyValue(name).trim();
    this.colours = { sea: of("--sea"), land: of("--land"), coast: of("--coast"), ink: of("--ink"), classes: CLASSES.map((_, i) => of(`--class-${i}`)) };
    this.stale = true;
  }

  resize() {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    this.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    this.ratio = ratio;
    for (const c of [this.canvas, this.base]) {
      c.width = this.width;
      c.height = this.height;
    }
    this.frame = null;
    this.bound();
  }

  get scale() {
    return this.zoom * Math.min(this.width / (WIDTH * 1.02), this.height / (HEIGHT * 1.02));
  }

  // bound keeps the zoom and the middle within the Earth.
  bound() {
    this.zoom = Math.min(NEAREST, Math.max(1, this.zoom));
    const keep = (v, half, shown) => Math.min(Math.max(0, half - shown), Math.max(-Math.max(0, half - shown), v));
    this.x = keep(this.x, WIDTH * 0.51, this.width / 2 / this.scale);
    this.y = keep(this.y, HEIGHT * 0.51, this.height / 2 / this.scale);
    this.stale = true;
  }

  // move goes by CSS pixels.
  move(dx, dy) {
    this.x -= (dx * this.ratio) / this.scale;
    this.y -= (dy * this.ratio) / this.scale;
    this.bound();
  }

  // zoomBy keeps what is under the point (CSS pixels from the canvas's corner) there.
  zoomBy(factor, px = this.canvas.clientWidth / 2, py = this.canvas.clientHeight / 2) {
    const fromX = px * this.ratio - this.width / 2;
    const fromY = py * this.ratio - this.height / 2;
    const before = this.scale;
    this.zoom = Math.min(NEAREST, Math.max(1, this.zoom * factor));
    const by = 1 / before - 1 / this.scale;
    this.x += fromX * by;
    this.y += fromY * by;
    this.bound();
  }

  reset() {
    this.zoom = 1;
    this.x = this.y = 0;
    this.bound();
  }

  drawBase() {
    const ink = this.baseInk;
    const s = this.scale;
    const ox = this.width / 2 - this.x * s;
    const oy = this.height / 2 - this.y * s;
    ink.fillStyle = this.colours.sea;
    ink.fillRect(0, 0, this.width, this.height);
    const trace = (lines, close) => {
      ink.beginPath();
      for (const p of lines) {
        ink.moveTo(p[0] * s + ox, p[1] * s + oy);
        for (let i = 2; i < p.length; i += 2) ink.lineTo(p[i] * s + ox, p[i + 1] * s + oy);
        if (close) ink.closePath();
      }
    };
    ink.lineJoin = "round";
    trace(this.coast.land, true);
    ink.fillStyle = this.colours.land;
    ink.fill("evenodd");
    ink.strokeStyle = this.colours.coast;
    ink.lineWidth = 0.7 * this.ratio;
    trace(this.coast.borders, false);
    ink.stroke();
    this.frame ??= ink.createImageData(this.width, this.height);
    this.basePixels = new Uint32Array(ink.getImageData(0, 0, this.width, this.height).data.buffer);
    this.stale = false;
  }

  draw() {
    if (this.stale) this.drawBase();
    if (this.layer) this.drawLayer();
    else this.ink.drawImage(this.base, 0, 0);
    if (this.cross) this.drawCross();
  }

  drawLayer() {
    const { cells, corners, middles, counts } = this.layer;
    const ink = this.ink;
    const s = this.scale;
    const ox = this.width / 2 - this.x * s;
    const oy = this.height / 2 - this.y * s;
    const asCells = s * 0.0167 >= CELLS_FROM * this.ratio;
    const byClass = CLASSES.map(() => []); // dots: index, x, y
    const areas = CLASSES.map(() => []); // cells that are drawn as such
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] <= 0) continue;
      const x = middles[2 * i] * s + ox;
      const y = middles[2 * i + 1] * s + oy;
      if (asCells || degreesOf(cells[i]) > 1) areas[classOf(counts[i])].push(i);
      else if (x > -60 && y > -60 && x < this.width + 60 && y < this.height + 60) byClass[classOf(counts[i])].push(i, x, y);
    }
    if (asCells) this.ink.drawImage(this.base, 0, 0);
    else this.drawDots(byClass);
    areas.forEach((list, c) => {
      if (!list.length) return;
      ink.beginPath();
      for (const i of list) {
        const at = 8 * i;
        ink.moveTo(corners[at] * s + ox, corners[at + 1] * s + oy);
        for (let k = 2; k < 8; k += 2) ink.lineTo(corners[at + k] * s + ox, corners[at + k + 1] * s + oy);
        ink.closePath();
      }
      ink.globalAlpha = 0.75;
      ink.fillStyle = this.colours.classes[c];
      ink.fill();
      ink.globalAlpha = 1;
      ink.lineWidth = 0.6 * this.ratio;
      ink.strokeStyle = this.colours.sea;
      ink.stroke();
    });
    if (this.chosen >= 0 && this.chosen < counts.length) {
      const r = this.radius(classOf(counts[this.chosen])) + 3 * this.ratio;
      ink.beginPath();
      ink.arc(middles[2 * this.chosen] * s + ox, middles[2 * this.chosen + 1] * s + oy, r, 0, 7);
      ink.lineWidth = 1.6 * this.ratio;
      ink.strokeStyle = this.colours.ink;
      ink.stroke();
    }
  }

  // drawDots copies dots onto the base, pixel by pixel: without a GPU that takes a
  // tenth of the time that as many arcs or pictures do.
  drawDots(byClass) {
    const { width, height } = this;
    const pixels = new Uint32Array(this.frame.data.buffer);
    pixels.set(this.basePixels);
    byClass.forEach((list, c) => {
      if (!list.length) return;
      const { size, rgba } = this.dot(c);
      for (let i = 0; i < list.length; i += 3) {
        const left = Math.round(list[i + 1] - size / 2);
        const top = Math.round(list[i + 2] - size / 2);
        const from = Math.max(0, -left);
        const to = Math.min(size, width - left);
        for (let y = Math.max(0, -top); y < Math.min(size, height - top); y++) {
          let at = (top + y) * width + left + from;
          for (let k = 4 * (y * size + from); k < 4 * (y * size + to); k += 4, at++) {
            const a = rgba[k + 3];
            if (a === 0) continue;
            const under = pixels[at];
            const rest = 256 - a; // of 256, which a shift divides by
            const red = (rgba[k] * a + (under & 255) * rest) >> 8;
            const green = (rgba[k + 1] * a + ((under >> 8) & 255) * rest) >> 8;
            const blue = (rgba[k + 2] * a + ((under >> 16) & 255) * rest) >> 8;
            pixels[at] = 0xff000000 | (blue << 16) | (green << 8) | red;
          }
        }
      }
    });
    this.ink.putImageData(this.frame, 0, 0);
  }

  // dot is a class's dot as pixels.
  dot(c) {
    const r = this.radius(c);
    const colour = this.colours.classes[c];
    const known = this.dots[c];
    if (known?.r === r && known.colour === colour) return known;
    const size = Math.ceil(2 * r + 4);
    const picture = document.createElement("canvas");
    picture.width = picture.height = size;
    const ink = picture.getContext("2d", { willReadFrequently: true });
    ink.beginPath();
    ink.arc(size / 2, size / 2, r, 0, 7);
    ink.globalAlpha = 0.85;
    ink.fillStyle = colour;
    ink.fill();
    ink.globalAlpha = 1;
    ink.lineWidth = 0.6 * this.ratio;
    ink.strokeStyle = this.colours.sea;
    ink.stroke();
    this.dots[c] = { r, colour, size, rgba: ink.getImageData(0, 0, size, size).data };
    return this.dots[c];
  }

  radius(c) {
    return (1.8 + 1.1 * c) * this.ratio * Math.min(2, 0.75 + 0.25 * this.zoom) * Math.min(1, Math.max(0.7, this.width / this.ratio / 900));
  }

  drawCross() {
    const ink = this.ink;
    const [x, y, r] = [this.width / 2, this.height / 2, 7 * this.ratio];
    ink.beginPath();
    ink.moveTo(x - r, y);
    ink.lineTo(x + r, y);
    ink.moveTo(x, y - r);
    ink.lineTo(x, y + r);
    ink.lineWidth = 1.2 * this.ratio;
    ink.strokeStyle = this.colours.ink;
    ink.stroke();
  }

  // nearest is the dot nearest to a point in CSS pixels, -1 where none is near.
  nearest(px, py, within = 16) {
    if (!this.layer) return -1;
    const { middles, counts } = this.layer;
    const s = this.scale;
    let best = -1;
    let least = (within * this.ratio) ** 2;
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] <= 0) continue;
      const dx = (middles[2 * i] - this.x) * s + this.width / 2 - px * this.ratio;
      const dy = (middles[2 * i + 1] - this.y) * s + this.height / 2 - py * this.ratio;
      const d = dx * dx + dy * dy;
      if (d < least) [best, least] = [i, d];
    }
    return best;
  }
}
