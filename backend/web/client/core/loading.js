// Data of a screen: loaded when its inputs change, abandoned when the screen is left.
import { useEffect, useRef, useState } from './html.js';

/**
 * @template T
 * @typedef {{ data: T | null, error: any, reload: () => void, set: (data: T) => void }} Loaded
 */

/**
 * Load when `inputs` change.
 * @param {(signal: AbortSignal) => Promise<any>} load
 * @param {unknown[]} inputs
 * @returns {Loaded<any>}
 */
export function useLoaded(load, inputs) {
  const [state, setState] = useState({ data: /** @type {any} */ (null), error: /** @type {any} */ (null) });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    load(controller.signal).then(
      (data) => !controller.signal.aborted && setState({ data, error: null }),
      (error) => !controller.signal.aborted && setState((before) => ({ ...before, error })),
    );
    return () => controller.abort();
  }, [...inputs, round]);
  return {
    ...state,
    reload: () => setRound((before) => before + 1),
    set: (data) => setState({ data, error: null }),
  };
}

/** A function that runs `work` once `ms` have passed without another call. @param {Function} work @param {number | (() => number)} ms */
export function useDelayed(work, ms) {
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (/** @type {any[]} */ ...values) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => work(...values), typeof ms === 'function' ? ms() : ms);
  };
}

/** Run `work` every `ms` while `isOn`. @param {() => void} work @param {number} ms @param {boolean} isOn */
export function useInterval(work, ms, isOn) {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    if (!isOn) return undefined;
    const timer = setInterval(() => !document.hidden && latest.current(), ms);
    return () => clearInterval(timer);
  }, [ms, isOn]);
}
