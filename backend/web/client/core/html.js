// Views: Preact through tagged templates. Text in a template is always text, never markup.
import htm from '../vendor/htm.js';
import { h } from '../vendor/preact.js';

export { Fragment, render, Component } from '../vendor/preact.js';
export { useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback, useId } from '../vendor/hooks.js';
export { batch, computed, effect, signal, useComputed, useSignal } from '../vendor/signals.js';

export const html = htm.bind(h);
