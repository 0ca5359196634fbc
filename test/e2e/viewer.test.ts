import { portraitComesToLife } from "./film.ts";
import { startPlatform } from "./platform.ts";

// test/films tests the other storages.
portraitComesToLife("R2", { start: startPlatform });
