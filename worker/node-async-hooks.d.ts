/** The part of Node's module that the log needs. workerd has it (`nodejs_compat`); its types lack it. */
declare module "node:async_hooks" {
  export class AsyncLocalStorage<T> {
    run<R>(store: T, work: () => R): R;
    getStore(): T | undefined;
  }
}
