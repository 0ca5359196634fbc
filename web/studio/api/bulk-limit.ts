/** The most photos in one bulk request of the API. */
export const MAX_BULK = 200;
