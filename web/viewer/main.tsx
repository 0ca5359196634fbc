import { render } from "preact";
import "../theme.css";
import "./viewer.css";
import { uniqueIdFrom } from "./manifest.ts";
import { followHistory } from "./navigation.ts";
import { Viewer } from "./viewer.tsx";

followHistory();
render(<Viewer uniqueId={uniqueIdFrom(location.pathname)} />, document.getElementById("app")!);
