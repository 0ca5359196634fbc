import { portraitComesToLife } from "./film.ts";
import { startPlatform } from "./platform.ts";

// The other storages are those of test/films.
portraitComesToLife("R2", { start: startPlatform });
