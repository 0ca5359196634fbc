import { DurableObject } from "cloudflare:workers";
import type { ContainerEnv, ContainerHost } from "./container-host.ts";

/** What an instance tells about itself. */
export interface InstanceState {
  readonly isFree: boolean;
  /** Whether its last compilation could not begin. */
  readonly isFailing: boolean;
}

/** How long a place that was reserved waits for its compilation. */
const RESERVATION_MILLISECONDS = 30_000;

/** Longer than a compilation may take: frees the place of one whose end was missed. */
const COMPILATION_MILLISECONDS = 900_000;

/**
 * An instance of the Node compiler in a Cloudflare Container, with one place. The container starts with the first
 * compilation. Loads the code that runs it on first use, because every isolate loads this class.
 */
export class CompilerContainer extends DurableObject<ContainerEnv> {
  #host: Promise<ContainerHost> | undefined;
  #takenUntil = 0;
  #isFailing = false;

  /** Takes the place for a compilation that follows at once. @returns whether it was free */
  reserve(): boolean {
    if (!this.state().isFree) return false;
    this.#takenUntil = Date.now() + RESERVATION_MILLISECONDS;
    return true;
  }

  state(): InstanceState {
    return { isFree: Date.now() >= this.#takenUntil, isFailing: this.#isFailing };
  }

  /** Passes a request on to the Node compiler. The place is free again when the response ends. */
  override async fetch(request: Request): Promise<Response> {
    this.#takenUntil = Date.now() + COMPILATION_MILLISECONDS;
    const free = () => {
      this.#takenUntil = 0;
    };
    try {
      const response = await (await this.#open()).fetch(request);
      // The Node compiler itself responds with JSON or parts.
      this.#isFailing =
        !response.ok && response.headers.get("content-type")?.startsWith("text/plain") === true;
      if (!response.body) {
        free();
        return response;
      }
      return new Response(untilEnd(response.body, free), response);
    } catch (error) {
      this.#isFailing = true;
      free();
      throw error;
    }
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    await (await this.#open()).alarm(info);
  }

  #open(): Promise<ContainerHost> {
    this.#host ??= import("./container-host.ts").then(
      ({ ContainerHost }) => new ContainerHost(this.ctx, this.env),
    );
    return this.#host;
  }
}

/**
 * Returns the same bytes, and calls `onEnd` when they end, fail or are not wanted any more. Not piped: the package's
 * stream comes out of an IdentityTransformStream, and workerd cannot pipe one into another.
 */
function untilEnd(body: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        onEnd();
        controller.close();
      } catch (error) {
        onEnd();
        throw error;
      }
    },
    async cancel(reason) {
      onEnd();
      await reader.cancel(reason);
    },
  });
}
