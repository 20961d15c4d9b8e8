// Components that are seldom shown: their modules are loaded when they are, and not before the first screen.
import { html, useLayoutEffect, useState } from './html.js';
import { notifyFault } from './notices.js';

/** A component that is loaded when it is shown for the first time. @param {() => Promise<any>} load */
export function lazy(load) {
  /** @type {any} */
  let view = null;
  return function Lazy(/** @type {any} */ props) {
    const [, setLoaded] = useState(view !== null);
    useLayoutEffect(() => {
      if (view) return;
      load().then((loaded) => {
        view = loaded;
        setLoaded(true);
      }, notifyFault);
    }, []);
    return view && html`<${view} ...${props} />`;
  };
}
