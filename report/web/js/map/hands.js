// Mouse, touch and keyboard on the canvas.

const STEP = 60; // pixels that an arrow key moves
const TAP = 6; // pixels that a finger may slip in a tap

// handle moves paper, calls redraw after that, and choose(index) when a dot is
// pointed at.
export function handle(paper, redraw, choose) {
  const { canvas } = paper;
  const fingers = new Map(); // pointer id → [x, y]
  let slipped = 0;

  const at = (e) => {
    const box = canvas.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return [Math.hypot(a[0] - b[0], a[1] - b[1]), (a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  };

  canvas.addEventListener("pointerdown", (e) => {
    canvas.setPointerCapture(e.pointerId);
    fingers.set(e.pointerId, at(e));
    slipped = 0;
  });
  canvas.addEventListener("pointermove", (e) => {
    const now = at(e);
    const before = fingers.get(e.pointerId);
    if (!before) {
      choose(paper.nearest(...now));
      return;
    }
    if (fingers.size === 2) {
      const [d0, x0, y0] = spread();
      fingers.set(e.pointerId, now);
      const [d1, x1, y1] = spread();
      paper.move(x1 - x0, y1 - y0);
      if (d0 > 0) paper.zoomBy(d1 / d0, x1, y1);
      slipped = TAP;
    } else {
      fingers.set(e.pointerId, now);
      slipped += Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (slipped >= TAP) paper.move(now[0] - before[0], now[1] - before[1]);
    }
    redraw();
  });
  const lift = (e) => {
    if (fingers.delete(e.pointerId) && e.type === "pointerup" && slipped < TAP) choose(paper.nearest(...at(e), 24));
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);

  canvas.addEventListener(
    "wheel",
    (e) => {
      const factor = Math.exp(-Math.max(-100, Math.min(100, e.deltaY)) / 250);
      const [zoom, x, y] = [paper.zoom, paper.x, paper.y];
      paper.zoomBy(factor, ...at(e));
      if (paper.zoom === zoom && paper.x === x && paper.y === y) return; // let the page scroll
      e.preventDefault();
      redraw();
    },
    { passive: false },
  );

  const keys = {
    ArrowLeft: () => paper.move(STEP, 0),
    ArrowRight: () => paper.move(-STEP, 0),
    ArrowUp: () => paper.move(0, STEP),
    ArrowDown: () => paper.move(0, -STEP),
    "+": () => paper.zoomBy(1.5),
    "=": () => paper.zoomBy(1.5),
    "-": () => paper.zoomBy(1 / 1.5),
    0: () => paper.reset(),
  };
  canvas.addEventListener("keydown", (e) => {
    if (!keys[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
    keys[e.key]();
    e.preventDefault();
    chooseMiddle();
  });
  const chooseMiddle = () => {
    choose(paper.nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, 80));
    redraw();
  };
  canvas.addEventListener("focus", () => {
    if (!canvas.matches(":focus-visible")) return;
    paper.cross = true;
    chooseMiddle();
  });
  canvas.addEventListener("blur", () => {
    paper.cross = false;
    redraw();
  });
}
