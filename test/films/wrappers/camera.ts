// Takes pictures of the browser's camera, and shows them as a still camera to a page in a frame.

const video = document.createElement("video");
video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
await video.play();

const pictures: HTMLCanvasElement[] = [];
let shown: HTMLCanvasElement | null = null;

function createCanvas(): HTMLCanvasElement {
  return Object.assign(document.createElement("canvas"), {
    width: video.videoWidth,
    height: video.videoHeight,
  });
}

const streams: MediaStream[] = [];
const still = createCanvas();
const context = still.getContext("2d")!;
setInterval(() => shown && context.drawImage(shown, 0, 0), 50);

const camera = {
  /** Takes a picture and returns the RGBA of its upper rows. */
  take(code: { width: number; height: number }): number[] {
    const picture = createCanvas();
    const paper = picture.getContext("2d")!;
    paper.drawImage(video, 0, 0);
    pictures.push(picture);
    return Array.from(paper.getImageData(0, 0, code.width, code.height).data);
  },
  /** Discards the last picture. */
  discard(): void {
    pictures.pop();
  },
  /** Shows a picture until the next one is shown. */
  show(index: number): void {
    shown = pictures[index];
  },
  /** Opens a page in place of the last one. */
  open(url: string): void {
    const frame = Object.assign(document.createElement("iframe"), { src: url });
    frame.width = String(video.videoWidth);
    frame.height = String(video.videoHeight);
    document.body.replaceChildren(frame);
  },
  /** What the page in the frame gets in place of the browser's camera. */
  stream(): MediaStream {
    const stream = still.captureStream();
    // A stream that nobody holds may become an object of the frame's own realm.
    streams.push(stream);
    return stream;
  },
};

export type StillCamera = typeof camera;

Object.assign(globalThis, { camera });
