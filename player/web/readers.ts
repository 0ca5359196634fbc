// Reads grey frames from a playing <video> or a <canvas> on the page: by the graphics card, or through a canvas.

import { greyOfPixels } from "./grey.ts";
import type { Frame, Size } from "./protocol.ts";

/** Where frames come from. */
export type FrameSource = HTMLVideoElement | HTMLCanvasElement;

/** Returns the size of a source's pictures, pixels; 0 × 0 while a video has none. */
export function sourceSize(source: FrameSource): Size {
  return "videoWidth" in source
    ? { width: source.videoWidth, height: source.videoHeight }
    : { width: source.width, height: source.height };
}

export interface FrameReader {
  /**
   * Reads the source's current frame into `buffer`, which has at least `width * height` bytes of the frame's size.
   * Only one read may run at a time.
   */
  read(source: FrameSource, size: Size, buffer: ArrayBuffer): Promise<Frame>;
  close(): void;
}

/** Longest time, in milliseconds, after which a frame of the shader is still better than one of the canvas. */
const SHADER_MILLISECONDS = 16;

/**
 * Returns a reader that begins with a canvas, which works at once, and changes to the shader when the graphics card has
 * compiled it and turns out to be fast.
 */
export function createFrameReader(): FrameReader {
  const canvas = createCanvasReader();
  let shader: FrameReader | null = null;
  let isTried = false;
  let isClosed = false;

  async function tryShader(source: FrameSource, size: Size): Promise<void> {
    const candidate = createShaderReader();
    if (!candidate) return;
    try {
      const buffer = new ArrayBuffer(size.width * size.height);
      await candidate.read(source, size, buffer);
      const start = performance.now();
      await candidate.read(source, size, buffer);
      const isFast = performance.now() - start <= SHADER_MILLISECONDS;
      if (isFast && !isClosed) shader = candidate;
    } catch {
      // The graphics card is not available, for example because another page has it.
    }
    if (shader !== candidate) candidate.close();
  }

  return {
    async read(source, size, buffer) {
      if (shader) {
        try {
          return await shader.read(source, size, buffer);
        } catch {
          shader.close();
          shader = null;
        }
      }
      const frame = await canvas.read(source, size, buffer);
      if (!isTried) {
        isTried = true;
        tryShader(source, size);
      }
      return frame;
    },
    close() {
      isClosed = true;
      shader?.close();
    },
  };
}

/** Reads through a 2-D canvas, which every browser has. It blocks the page for some milliseconds. */
function createCanvasReader(): FrameReader {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true })!;
  return {
    async read(source, { width, height }, buffer) {
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
      }
      context.drawImage(source, 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, height);
      greyOfPixels(data, new Uint8Array(buffer, 0, width * height));
      return { buffer, width, height };
    },
    close() {},
  };
}

const VERTEX_SHADER = `#version 300 es
void main() {
  // One triangle that covers the target.
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

/** Packs the grey values of four neighbouring pixels into one texel; the frame's first row comes first. */
const FRAGMENT_SHADER = `#version 300 es
precision highp float;
uniform sampler2D video;
uniform vec2 size;
out vec4 packed;
float grey(float x, float y) {
  return dot(texture(video, vec2(x, y) / size).rgb, vec3(1.0 / 3.0));
}
void main() {
  float x = floor(gl_FragCoord.x) * 4.0 + 0.5;
  float y = gl_FragCoord.y;
  packed = vec4(grey(x, y), grey(x + 1.0, y), grey(x + 2.0, y), grey(x + 3.0, y));
}`;

/**
 * Reads through WebGL 2: the graphics card scales and converts, and the pixels are copied when it has finished, so
 * that the page does not wait. Returns null where WebGL 2 is missing or emulated in software.
 */
function createShaderReader(): FrameReader | null {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", {
    alpha: false,
    antialias: false,
    depth: false,
    failIfMajorPerformanceCaveat: true,
  });
  if (!gl) return null;
  const program = link(gl);
  if (!program) return null;
  gl.useProgram(program);
  const sizeLocation = gl.getUniformLocation(program, "size");
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  const target = gl.createRenderbuffer();
  gl.bindRenderbuffer(gl.RENDERBUFFER, target);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.bindBuffer(gl.PIXEL_PACK_BUFFER, gl.createBuffer());
  let allocated: Size = { width: 0, height: 0 };

  function allocate({ width, height }: Size): void {
    if (allocated.width === width && allocated.height === height) return;
    gl!.renderbufferStorage(gl!.RENDERBUFFER, gl!.RGBA8, width / 4, height);
    gl!.framebufferRenderbuffer(gl!.FRAMEBUFFER, gl!.COLOR_ATTACHMENT0, gl!.RENDERBUFFER, target);
    gl!.bufferData(gl!.PIXEL_PACK_BUFFER, width * height, gl!.STREAM_READ);
    gl!.viewport(0, 0, width / 4, height);
    gl!.uniform2f(sizeLocation, width, height);
    allocated = { width, height };
  }

  return {
    async read(source, size, buffer) {
      const { width, height } = size;
      allocate(size);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, source);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      gl.readPixels(0, 0, width / 4, height, gl.RGBA, gl.UNSIGNED_BYTE, 0);
      await finished(gl);
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, new Uint8Array(buffer, 0, width * height));
      return { buffer, width, height };
    },
    close() {
      gl.getExtension("WEBGL_lose_context")?.loseContext();
    },
  };
}

function link(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX_SHADER],
    [gl.FRAGMENT_SHADER, FRAGMENT_SHADER],
  ] as const) {
    const shader = gl.createShader(type);
    if (!shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

/** Resolves when the graphics card has executed all commands. Rejects when the context is lost. */
function finished(gl: WebGL2RenderingContext): Promise<void> {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  gl.flush();
  return new Promise((resolve, reject) => {
    const poll = () => {
      const state = fence ? gl.clientWaitSync(fence, 0, 0) : gl.WAIT_FAILED;
      if (state === gl.TIMEOUT_EXPIRED) return void setTimeout(poll, 1);
      gl.deleteSync(fence);
      if (state === gl.WAIT_FAILED) reject(new Error("The graphics card lost the frame."));
      else resolve();
    };
    poll();
  });
}
