import { loadTexts } from "../../web/studio/language.ts";

await loadTexts();
