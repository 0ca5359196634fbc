// The films on which following is measured.

import type { GreyImage } from "../../compiler/types.ts";
import { seeded } from "../recall/camera.ts";
import { cornersAt, type Place, type Script } from "../recall/film.ts";

export const FRAMES = 150;

const DEGREE = Math.PI / 180;

const calm: Omit<Script, "place"> = {
  frames: FRAMES,
  exposure: () => 1,
  cover: () => null,
  shutter: 0.5,
  defocus: 0.7,
  noise: 2.5,
  readout: 0,
  distortion: 0,
  jpeg: null,
};

type Wander = (time: number) => number;

/** Returns a smooth random function of time between about -1 and 1. `pace` is in radians per frame. */
function wander(random: () => number, pace: number): Wander {
  const waves = [0.37, 0.61, 1, 1.43].map((factor) => ({
    pace: pace * factor * (0.85 + 0.3 * random()),
    phase: 2 * Math.PI * random(),
  }));
  return (time) => waves.reduce((sum, wave) => sum + Math.sin(wave.pace * time + wave.phase), 0) / 2.6;
}

/** A hand that holds the phone: every coordinate wanders. */
function hand(seed: number, pace: number): (time: number) => Place {
  const random = seeded(seed);
  const [x, y, size, roll, tilt, lean] = Array.from({ length: 6 }, () => wander(random, pace));
  return (time) => ({
    size: 0.62 + 0.14 * size(time),
    tilt: (18 + 16 * tilt(time)) * DEGREE,
    lean: 2 + lean(time),
    roll: 0.25 * roll(time),
    centre: [0.22 * x(time), 0.2 * y(time)],
  });
}

/** Returns a hand whose corners move by `speed` pixels per frame on average, and at most by `most`. */
function handOfSpeed(photo: GreyImage, seed: number, speed: number, most = Infinity) {
  let pace = 0.05;
  let place = hand(seed, pace);
  for (let round = 0; round < 6; round++) {
    const speeds = speedsOf(photo, place);
    const mean = speeds.reduce((sum, value) => sum + value, 0) / speeds.length;
    pace *= Math.min(speed / mean, most / Math.max(...speeds));
    place = hand(seed, pace);
  }
  return place;
}

function speedsOf(photo: GreyImage, place: (time: number) => Place): number[] {
  const script = { ...calm, place };
  const places = Array.from({ length: FRAMES }, (_, time) => cornersAt(photo, script, time));
  return places.slice(1).map((corners, i) => {
    const moves = corners.map(({ x, y }, k) => Math.hypot(x - places[i][k].x, y - places[i][k].y));
    return Math.max(...moves);
  });
}

/** Returns 0 before `from`, 1 after `to`, and a smooth step between. */
function ramp(time: number, from: number, to: number): number {
  const t = Math.min(Math.max((time - from) / (to - from), 0), 1);
  return t * t * (3 - 2 * t);
}

export const PATHS: Readonly<Record<string, (photo: GreyImage, seed: number) => Script>> = {
  still: (_photo, seed) => {
    const place = hand(seed, 0)(0);
    return { ...calm, place: () => place };
  },
  slow: (photo, seed) => ({ ...calm, place: handOfSpeed(photo, seed, 2) }),
  medium: (photo, seed) => ({ ...calm, place: handOfSpeed(photo, seed, 9) }),
  fast: (photo, seed) => ({ ...calm, place: handOfSpeed(photo, seed, 17, 30) }),
  shake: (_photo, seed) => {
    const random = seeded(seed + 1);
    const slow = hand(seed, 0.02);
    const [x, y, roll] = Array.from({ length: 3 }, () => wander(random, 1.4));
    return {
      ...calm,
      place: (time) => {
        const { centre, ...rest } = slow(time);
        return {
          ...rest,
          roll: rest.roll + 0.01 * roll(time),
          centre: [centre[0] + 0.02 * x(time), centre[1] + 0.025 * y(time)],
        };
      },
    };
  },
  approach: (_photo, seed) => {
    const place = hand(seed, 0.02);
    // There and back, from an eighth of the frame's height to nearly all of it.
    const size = (time: number) => 0.2 * 4.6 ** ((1 - Math.cos((2 * Math.PI * time) / FRAMES)) / 2);
    return { ...calm, place: (time) => ({ ...place(time), size: size(time) }) };
  },
  tilt: (_photo, seed) => {
    const place = hand(seed, 0.02);
    const tilt = (time: number) => 34 + 34 * Math.sin((2 * Math.PI * time) / 100);
    return { ...calm, place: (time) => ({ ...place(time), tilt: tilt(time) * DEGREE, lean: place(0).lean }) };
  },
  occlusion: (_photo, seed) => ({
    ...calm,
    place: hand(seed, 0.02),
    cover: (time) => {
      const left = 760 - 7 * time;
      return { left, right: left + 150 };
    },
  }),
  exposure: (_photo, seed) => ({
    ...calm,
    place: hand(seed, 0.04),
    exposure: (time) => 1 - 0.6 * ramp(time, 40, 42) + 1 * ramp(time, 80, 83) - 0.4 * ramp(time, 110, 125),
  }),
  leaving: (_photo, seed) => {
    const place = hand(seed, 0.03);
    const angle = seed;
    const away = (time: number) =>
      1.9 * (ramp(time, 8, 43) - ramp(time, 50, 85) + ramp(time, 95, 125) - ramp(time, 130, 160));
    return {
      ...calm,
      place: (time) => {
        const { centre, ...rest } = place(time);
        return {
          ...rest,
          centre: [centre[0] + away(time) * Math.cos(angle), centre[1] + away(time) * 1.3 * Math.sin(angle)],
        };
      },
    };
  },
};

/** The medium path with the faults of a phone's camera. */
export const FAULTS: Readonly<Record<string, Partial<Script>>> = {
  "rolling shutter": { readout: 0.5 },
  "lens distortion": { distortion: -0.05 },
  "JPEG, quality 40": { jpeg: 40 },
};
