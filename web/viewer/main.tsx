import { render } from "preact";
import "../theme.css";
import "./viewer.css";
import "./debug.css";
import { loadTexts } from "./language.ts";
import { loadManifest, uniqueIdFrom } from "./manifest.ts";
import { followHistory } from "./navigation.ts";
import { Viewer } from "./viewer.tsx";

followHistory();
const uniqueId = uniqueIdFrom(location.pathname);
// The texts and the manifest load at the same time.
const first = loadManifest(uniqueId);
void loadTexts().then(() =>
  render(<Viewer uniqueId={uniqueId} first={first} />, document.getElementById("app")!),
);
