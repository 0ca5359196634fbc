/** What of Node's module workerd has (`nodejs_compat`) and the log needs; Workers' own types leave it out. */
declare module "node:async_hooks" {
  export class AsyncLocalStorage<T> {
    run<R>(store: T, work: () => R): R;
    getStore(): T | undefined;
  }
}
