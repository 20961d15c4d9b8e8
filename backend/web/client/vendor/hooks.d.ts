// What the client uses of Preact's hooks, for the type checker.
export interface Ref<T> { current: T }
export function useState<T>(initial: T | (() => T)): [T, (next: T | ((before: T) => T)) => void];
export function useEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useRef<T>(initial: T): Ref<T>;
export function useMemo<T>(factory: () => T, inputs?: readonly unknown[]): T;
export function useCallback<T extends Function>(callback: T, inputs?: readonly unknown[]): T;
export function useId(): string;
