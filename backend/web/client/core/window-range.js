// Which rows of a long list are in sight, so that only these are drawn.
import { useEffect, useState } from './html.js';

const OVERSCAN = 8;

/**
 * The first row to draw and the one after the last.
 * @param {{ current: any }} container whose rows stand below each other
 * @param {number} count
 * @returns {{ from: number, to: number, height: number }}
 */
export function useWindowRange(container, count) {
  const [range, setRange] = useState({ from: 0, to: 16, height: 76 });
  useEffect(() => {
    let frame = 0;
    const measure = () => {
      frame = 0;
      const next = rangeOf(container.current);
      if (next) setRange((before) => (isSame(before, next) ? before : next));
    };
    const later = () => (frame ||= requestAnimationFrame(measure));
    measure();
    addEventListener('scroll', later, { passive: true });
    addEventListener('resize', later);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('scroll', later);
      removeEventListener('resize', later);
    };
  }, [count === 0]);
  return { ...range, to: Math.min(range.to, count) };
}

/** @param {any} before @param {any} next */
const isSame = (before, next) => before.from === next.from && before.to === next.to && before.height === next.height;

/** @param {HTMLElement | null} element */
function rangeOf(element) {
  if (!element) return null;
  const height = parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 76;
  const above = -element.getBoundingClientRect().top;
  const from = Math.max(0, Math.floor(above / height) - OVERSCAN);
  return { from, to: Math.max(0, Math.ceil((above + innerHeight) / height)) + OVERSCAN, height };
}
