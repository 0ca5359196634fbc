// The public API of the package `vivimark`, for every host.

export {
  COMPILER_VERSION,
  compile,
  compileTarget,
  DEFAULT_MAX_SIZE,
} from "./compile.ts";
export { type CodecModules, type CodecSources, loadCodecs } from "./image/codecs.ts";
export { decodeImage, toGrey } from "./image/decode.ts";
export {
  type ImageFormat,
  type ImageInfo,
  inspectImage,
  MAX_IMAGE_BYTES,
  MAX_IMAGE_PIXELS,
  MIN_IMAGE_SIDE,
} from "./image/inspect.ts";
export { encodePng } from "./image/png.ts";
export { inspectMind, type MarkerProblem, type MarkerReport, type TargetReport } from "./inspect.ts";
export { InvalidMarkerError, type MarkerFault } from "./invalid-marker.ts";
export { loadKernels } from "./kernels/kernels.ts";
export { extractTargets, mergeMinds } from "./merge.ts";
export { decodeMind, encodeMind } from "./mind.ts";
export {
  type CompiledMarker,
  type CompiledPhoto,
  compileMarker,
  compilePhoto,
  type ScoredPhoto,
  type ScoreOptions,
  scorePhoto,
} from "./photo.ts";
export { contactSheet, drawDetail, drawFeatures, sheetPictureSize, targetPicture } from "./preview.ts";
export {
  type Quality,
  type QualityMap,
  type QualityPart,
  type QualityPartName,
  type QualityReason,
  type QualityReasonCode,
  type ScoredPlayer,
  scoreImage,
  scoreTarget,
} from "./quality.ts";
export { assertTrackable } from "./trackable.ts";
export {
  type ClusterNode,
  CompileError,
  type CompileErrorCode,
  type CompileOptions,
  type CompileProgress,
  type CompileStage,
  DESCRIPTOR_WORDS,
  type FeaturePoints,
  type GreyImage,
  type ImageTarget,
  type Keyframe,
  type RgbaImage,
  type TrackingImage,
} from "./types.ts";
