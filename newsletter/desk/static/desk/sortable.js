// Drag the rows of a list by a handle, with a mouse, a pen or a finger. Escape puts a row back.
// Calls `done(row)` once the row has been dropped at another place.
const EDGE = 70; // pixels from the window's edge in which the page scrolls along

export const sortable = (list, handle, done) => {
  list.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest(handle);
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    drag(list, grip, event.pointerId, done);
  });
};

const drag = (list, grip, pointer, done) => {
  const row = grip.closest("li");
  const before = [...list.children];
  let y = null;
  let frame = 0;
  row.classList.add("is-dragged");
  grip.setPointerCapture(pointer);

  const middle = (other) => {
    const { top, height } = other.getBoundingClientRect();
    return top + height / 2;
  };
  // The neighbours are moved, because a row that leaves the document loses the pointer.
  const place = () => {
    let other;
    while ((other = row.previousElementSibling) && y < middle(other)) row.after(other);
    while ((other = row.nextElementSibling) && y > middle(other)) row.before(other);
  };
  const scroll = () => {
    if (y !== null && y < EDGE) window.scrollBy(0, -12);
    if (y !== null && y > window.innerHeight - EDGE) window.scrollBy(0, 12);
    if (y !== null) place();
    frame = requestAnimationFrame(scroll);
  };
  const stop = (keep) => {
    cancelAnimationFrame(frame);
    row.classList.remove("is-dragged");
    grip.removeEventListener("pointermove", move);
    grip.removeEventListener("pointerup", drop);
    grip.removeEventListener("pointercancel", cancel);
    document.removeEventListener("keydown", key);
    if (!keep) list.replaceChildren(...before);
    else if (before.some((each, index) => list.children[index] !== each)) done(row);
  };
  const move = (event) => { y = event.clientY; place(); };
  const drop = () => stop(true);
  const cancel = () => stop(false);
  const key = (event) => { if (event.key === "Escape") stop(false); };
  grip.addEventListener("pointermove", move);
  grip.addEventListener("pointerup", drop);
  grip.addEventListener("pointercancel", cancel);
  document.addEventListener("keydown", key);
  frame = requestAnimationFrame(scroll);
};
