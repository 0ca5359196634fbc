/** A worker that sends a test's answers. */
export class FakeWorker<Reply> {
  onmessage: Worker["onmessage"] = null;
  onerror: Worker["onerror"] = null;
  onmessageerror: Worker["onmessageerror"] = null;
  asked: unknown[] = [];
  terminated = false;

  postMessage(message: unknown): void {
    this.asked.push(message);
  }
  terminate(): void {
    this.terminated = true;
  }
  answer(reply: Reply): void {
    this.onmessage!.call(this as never, { data: reply } as MessageEvent);
  }
}
