import { describe, expect, it } from "vitest";
import { compileCapacity, createSlots } from "../../../web/compile/slots.ts";

const never = new AbortController().signal;

/** A job that a test ends, and that reports its start. */
function controlled() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const job = {
    begun: false,
    resolve,
    reject,
    run() {
      job.begun = true;
      return promise;
    },
  };
  return job;
}

describe("slots", () => {
  it("runs as many jobs as it has slots and the rest in order", async () => {
    const slots = createSlots(2);
    const jobs = [controlled(), controlled(), controlled(), controlled()];
    const results = jobs.map((job) => slots.run(job.run, never));
    await Promise.resolve();
    expect(jobs.map(({ begun }) => begun)).toEqual([true, true, false, false]);

    jobs[1].resolve("second");
    expect(await results[1]).toBe("second");
    expect(jobs.map(({ begun }) => begun)).toEqual([true, true, true, false]);

    jobs[0].resolve("first");
    jobs[2].resolve("third");
    jobs[3].resolve("fourth");
    expect(await Promise.all(results)).toEqual(["first", "second", "third", "fourth"]);
  });

  it("frees the slot of a job that fails", async () => {
    const slots = createSlots(1);
    const first = controlled();
    const failed = slots.run(first.run, never);
    const second = slots.run(async () => "done", never);
    first.reject(new Error("broken"));
    await expect(failed).rejects.toThrow("broken");
    expect(await second).toBe("done");
  });

  it("lets a waiting job leave, and the next one move up", async () => {
    const slots = createSlots(1);
    const first = controlled();
    const running = slots.run(first.run, never);
    const leaving = new AbortController();
    const second = controlled();
    const left = slots.run(second.run, leaving.signal);
    const third = slots.run(async () => "third", never);

    leaving.abort(new Error("left"));
    await expect(left).rejects.toThrow("left");
    first.resolve("first");
    await running;
    expect(await third).toBe("third");
    expect(second.begun).toBe(false);
  });

  it("does not begin a job that was aborted before", async () => {
    const job = controlled();
    await expect(createSlots(1).run(job.run, AbortSignal.abort(new Error("early")))).rejects.toThrow("early");
    expect(job.begun).toBe(false);
  });
});

describe("compileCapacity", () => {
  it("leaves a core to the page and never takes more than two", () => {
    expect([undefined, 1, 2, 3, 4, 64].map(compileCapacity)).toEqual([1, 1, 1, 2, 2, 2]);
  });
});
