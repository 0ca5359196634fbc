import regularFile from "@expo-google-fonts/golos-text/400Regular/GolosText_400Regular.ttf?url";
import boldFile from "@expo-google-fonts/golos-text/600SemiBold/GolosText_600SemiBold.ttf?url";
import { PrintFailed } from "./problem.ts";
import type { Measure, Weight } from "./text.ts";

// Golos Text has Latin and Cyrillic letters. It is under the SIL Open Font License 1.1.
const FILES: Readonly<Record<Weight, string>> = { regular: regularFile, bold: boldFile };
const FAMILY = "Vivimark Print";

export type FontFiles = Readonly<Record<Weight, Uint8Array<ArrayBuffer>>>;

/**
 * Loads the fonts of prints, and makes them available to canvases and the page.
 *
 * @throws PrintFailed; the error of the request
 */
export async function loadFonts(faces: FontFaceSet): Promise<FontFiles> {
  const read = async (weight: Weight) => {
    const response = await fetch(FILES[weight]);
    if (!response.ok) throw new PrintFailed({ kind: "font", status: response.status });
    const file = await response.arrayBuffer();
    // A face of bytes is not a request, which the page's Content-Security-Policy would refuse.
    faces.add(await new FontFace(FAMILY, file, { weight: WEIGHTS[weight] }).load());
    return new Uint8Array(file);
  };
  const [regular, bold] = await Promise.all([read("regular"), read("bold")]);
  return { regular, bold };
}

const WEIGHTS: Readonly<Record<Weight, string>> = { regular: "400", bold: "600" };

/** Returns the CSS font of a text, with a font of the system for letters that the font does not have. */
export function cssFont(weight: Weight, size: number): string {
  return `${WEIGHTS[weight]} ${size}px "${FAMILY}", system-ui, sans-serif`;
}

/** Returns a `Measure` that draws on the context of a canvas. */
export function measureOn(
  context: Pick<CanvasText & CanvasTextDrawingStyles, "font" | "measureText">,
): Measure {
  return (text, weight) => {
    context.font = cssFont(weight, 100);
    return context.measureText(text).width / 100;
  };
}
