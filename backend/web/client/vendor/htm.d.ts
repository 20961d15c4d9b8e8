// What the client uses of htm, for the type checker.
declare const htm: {
  bind(create: Function): (strings: TemplateStringsArray, ...values: any[]) => any;
};
export default htm;
