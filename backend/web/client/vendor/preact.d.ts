// What the client uses of Preact, for the type checker.
export type ComponentChild = any;
export type ComponentChildren = any;
export interface VNode {}
export function h(type: any, props: any, ...children: any[]): VNode;
export function render(node: any, parent: Element): void;
export const Fragment: any;
export const options: any;
export class Component<P = any, S = any> {
  props: P;
  state: S;
  setState(state: Partial<S>): void;
  render(props?: P, state?: S): any;
}
