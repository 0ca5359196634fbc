import { render } from "preact";
import "../theme.css";
import "./viewer.css";
import { uniqueIdOf } from "./manifest.ts";
import { followHistory } from "./navigation.ts";
import { Viewer } from "./viewer.tsx";

followHistory();
render(<Viewer uniqueId={uniqueIdOf(location.pathname)} />, document.getElementById("app")!);
