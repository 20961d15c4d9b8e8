// What the client uses of signals, for the type checker.
export interface Signal<T> { value: T; peek(): T; subscribe(fn: (value: T) => void): () => void }
export function signal<T>(initial: T): Signal<T>;
export function computed<T>(compute: () => T): Signal<T>;
export function effect(run: () => void | (() => void)): () => void;
export function batch<T>(run: () => T): T;
export function useSignal<T>(initial: T): Signal<T>;
export function useComputed<T>(compute: () => T): Signal<T>;
