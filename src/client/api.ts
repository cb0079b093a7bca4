// Written by `npm run client` from /openapi.json. Do not edit.
export interface paths {
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This document
         * @description The API as OpenAPI 3.1; /docs shows it to people.
         */
        get: operations["getOpenapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/crop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The region of an image that helps to answer a question
         * @description Finds the region for `question`, or one for each of `questions`. The reply to the one is a CropReply, to the other a CropListReply; `object` tells which.
         */
        post: operations["crop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * An answer from the full image and the region that helps
         * @description Finds the region as /crop does, and asks a target VLM with the full image, the region and the question.
         */
        post: operations["answer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * OpenAI's chat completions, zoomed
         * @description Goes to the target that `model` names, or to the default one, with crops of the region that helps put behind its images. Everything else is forwarded byte for byte, and so is the reply, the target's own errors included. The field `cropvlm` (zoom, resolution, expand, max_images) is for this service and taken out. Every other path under /v1 is forwarded as it is.
         */
        post: operations["chatCompletions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * OpenAI's Responses, zoomed
         * @description Goes to the target that `model` names, or to the default one, with crops of the region that helps put behind its images. Everything else is forwarded byte for byte, and so is the reply, the target's own errors included. The field `cropvlm` (zoom, resolution, expand, max_images) is for this service and taken out. Every other path under /v1 is forwarded as it is.
         */
        post: operations["responses"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Anthropic's messages, zoomed
         * @description Goes to the target that `model` names, or to the default one, with crops of the region that helps put behind its images. Everything else is forwarded byte for byte, and so is the reply, the target's own errors included. The field `cropvlm` (zoom, resolution, expand, max_images) is for this service and taken out. Every other path under /v1 is forwarded as it is.
         */
        post: operations["messages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/zoom": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A chat request with crops put in
         * @description The chat request that was sent (of OpenAI or Anthropic) with crops put behind its images and nothing else changed, for those who call the model themselves. The headers x-cropvlm-* say what was done.
         */
        post: operations["zoom"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The default target's models
         * @description The default target's own list; where it is a model in this process, the names of the targets.
         */
        get: operations["listModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the process runs
         * @description The same as /health/live.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the process runs
         * @description Answers while the process runs, also while it shuts down.
         */
        get: operations["getLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether requests can be answered
         * @description Answers 200 once the models have really answered, and until the service shuts down.
         */
        get: operations["getReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Prometheus' metrics
         * @description Counts and times in Prometheus' text format.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Version, models, execution provider, limits and targets
         * @description What runs here and within which limits. No secrets: no key, and no address of a target.
         */
        get: operations["getInfo"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A picture that was asked for. */
        Picture: {
            /** @description image/jpeg, image/png or image/webp */
            media_type: string;
            /** @description Pixels. */
            width: number;
            /** @description Pixels. */
            height: number;
            /**
             * Format: byte
             * @description The file in base64.
             */
            data: string;
        };
        /** @description Of the image after EXIF orientation. */
        Size: {
            /** @description Pixels. */
            width: number;
            /** @description Pixels. */
            height: number;
        };
        /** @description The model that gave the box. */
        Cropper: {
            /** @description As in GET /info. */
            id: string;
            /** @description Longest edge in pixels the cropper saw; null where that means nothing. */
            resolution: number | null;
            /** @description Tiles the image was cut into; null where that means nothing. */
            tiles: number | null;
        };
        /** @description Milliseconds; total since the request arrived. */
        CropTimings: {
            /** @description Fetching the image; only where it came from a link. */
            fetch?: number;
            queue: number;
            decode: number;
            preprocess: number;
            vision: number;
            prefill: number;
            generate: number;
            crop: number;
            /** @description Finding the lines of text; only where the text reader was asked. */
            detect?: number;
            /** @description Reading them; only where the text reader was asked. */
            recognize?: number;
            total: number;
        };
        /** @description Milliseconds; total since the request arrived. */
        AnswerTimings: {
            /** @description Fetching the image; only where it came from a link. */
            fetch?: number;
            queue: number;
            decode: number;
            preprocess: number;
            vision: number;
            prefill: number;
            generate: number;
            crop: number;
            /** @description Finding the lines of text; only where the text reader was asked. */
            detect?: number;
            /** @description Reading them; only where the text reader was asked. */
            recognize?: number;
            total: number;
            target: number;
        };
        /** @description What was found for one question. crop is there with return=crop: the region, cut from the original pixels; overlay with return=overlay: the image with the box drawn. */
        Region: {
            /** @description As it was sent. */
            question: string;
            /** @description [x1, y1, x2, y2] in whole per cent of the image after EXIF orientation. */
            bbox: number[];
            /** @description The same box in pixels: floor of the top-left, ceiling of the bottom-right. */
            bbox_pixels: number[];
            /**
             * @description zoomed: the box is the cropper's. given: it is the request's own. fallback: there is no box to be used, and bbox is the whole image. skipped: by the rules of `zoom` the crop would not help.
             * @enum {string}
             */
            decision: "zoomed" | "given" | "fallback" | "skipped";
            /** @description Why: of a fallback no_box, out_of_range, empty_box or not_a_cropper, of the text cropper no_text or no_match; of what is skipped never, sees_all, low_confidence or whole_image. null where decision is zoomed or given. */
            reason: string | null;
            /** @description Why zoom=auto skips, or would skip, this crop: never, sees_all, low_confidence or whole_image. null if it does not. */
            would_skip: string | null;
            /** @description How sure the cropper is: of a model, exp of the mean log-probability of the tokens it chose freely. null where it cannot tell. */
            confidence: number | null;
            /** @description The model's own text. */
            raw: string;
            crop?: components["schemas"]["Picture"];
            overlay?: components["schemas"]["Picture"];
        };
        /** @description The region for `question`. crop is there with return=crop: the region, cut from the original pixels; overlay with return=overlay: the image with the box drawn. */
        CropReply: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            object: "crop";
            /** @description [x1, y1, x2, y2] in whole per cent of the image after EXIF orientation. */
            bbox: number[];
            /** @description The same box in pixels: floor of the top-left, ceiling of the bottom-right. */
            bbox_pixels: number[];
            image: components["schemas"]["Size"];
            /**
             * @description zoomed: the box is the cropper's. given: it is the request's own. fallback: there is no box to be used, and bbox is the whole image. skipped: by the rules of `zoom` the crop would not help.
             * @enum {string}
             */
            decision: "zoomed" | "given" | "fallback" | "skipped";
            /** @description Why: of a fallback no_box, out_of_range, empty_box or not_a_cropper, of the text cropper no_text or no_match; of what is skipped never, sees_all, low_confidence or whole_image. null where decision is zoomed or given. */
            reason: string | null;
            /** @description Why zoom=auto skips, or would skip, this crop: never, sees_all, low_confidence or whole_image. null if it does not. */
            would_skip: string | null;
            /** @description How sure the cropper is: of a model, exp of the mean log-probability of the tokens it chose freely. null where it cannot tell. */
            confidence: number | null;
            /** @description The model's own text. */
            raw: string;
            crop?: components["schemas"]["Picture"];
            overlay?: components["schemas"]["Picture"];
            model: components["schemas"]["Cropper"];
            timings_ms: components["schemas"]["CropTimings"];
            /** @description What to know about the models behind this reply, for a person to read; mostly empty. */
            warnings: string[];
            /** @description Also in the header x-request-id. */
            request_id: string;
        };
        /** @description The regions for `questions`. */
        CropListReply: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            object: "crop_list";
            /** @description One for each of `questions`, in their order. */
            results: components["schemas"]["Region"][];
            image: components["schemas"]["Size"];
            model: components["schemas"]["Cropper"];
            timings_ms: components["schemas"]["CropTimings"];
            /** @description What to know about the models behind this reply, for a person to read; mostly empty. */
            warnings: string[];
            /** @description Also in the header x-request-id. */
            request_id: string;
        };
        /** @description Tokens as the target counted them. */
        Usage: {
            /** @description Of the text and the images. */
            prompt_tokens: number;
            /** @description Of the answer. */
            completion_tokens: number;
        };
        /** @description The target that answered. */
        AnsweredBy: {
            /** @description The configured name. */
            name: string;
            /** @description The model. */
            model: string;
            /** @description null where the target reported none. */
            usage: components["schemas"]["Usage"] | null;
        };
        /** @description The answer without the crop. */
        Comparison: {
            /** @description From the full image alone. */
            answer: string;
            /** @description Why the answer ends: stop; length where max_tokens cut it; another word of the target. null where it does not say. */
            finish_reason: string | null;
            /** @description The words with which the target declined; answer is empty then. null where it answered. */
            refusal: string | null;
            /** @description What the target thought before it answered; never part of answer. null where it tells nothing. */
            reasoning: string | null;
            /** @description Whether both are the same but for case and a final full stop. */
            agrees: boolean;
            /** @description null where the target reported none. */
            usage: components["schemas"]["Usage"] | null;
        };
        /** @description The region and the answer. compare is there with compare=true; crop and overlay as in CropReply. */
        AnswerReply: {
            /** @constant */
            object: "answer";
            /** @description [x1, y1, x2, y2] in whole per cent of the image after EXIF orientation. */
            bbox: number[];
            /** @description The same box in pixels: floor of the top-left, ceiling of the bottom-right. */
            bbox_pixels: number[];
            image: components["schemas"]["Size"];
            /**
             * @description zoomed: the box is the cropper's. given: it is the request's own. fallback: there is no box to be used, and bbox is the whole image. skipped: by the rules of `zoom` the crop would not help.
             * @enum {string}
             */
            decision: "zoomed" | "given" | "fallback" | "skipped";
            /** @description Why: of a fallback no_box, out_of_range, empty_box or not_a_cropper, of the text cropper no_text or no_match; of what is skipped never, sees_all, low_confidence or whole_image. null where decision is zoomed or given. */
            reason: string | null;
            /** @description Why zoom=auto skips, or would skip, this crop: never, sees_all, low_confidence or whole_image. null if it does not. */
            would_skip: string | null;
            /** @description How sure the cropper is: of a model, exp of the mean log-probability of the tokens it chose freely. null where it cannot tell. */
            confidence: number | null;
            /** @description The model's own text. */
            raw: string;
            crop?: components["schemas"]["Picture"];
            overlay?: components["schemas"]["Picture"];
            model: components["schemas"]["Cropper"];
            /** @description The target's answer; empty where it refused. */
            answer: string;
            /** @description Why the answer ends: stop; length where max_tokens cut it; another word of the target. null where it does not say. */
            finish_reason: string | null;
            /** @description The words with which the target declined; answer is empty then. null where it answered. */
            refusal: string | null;
            /** @description What the target thought before it answered; never part of answer. null where it tells nothing. */
            reasoning: string | null;
            target: components["schemas"]["AnsweredBy"];
            compare?: components["schemas"]["Comparison"];
            timings_ms: components["schemas"]["AnswerTimings"];
            /** @description What to know about the models behind this reply, for a person to read; mostly empty. */
            warnings: string[];
            /** @description Also in the header x-request-id. */
            request_id: string;
        };
        /** @description What went wrong, in the envelope of OpenAI. */
        ErrorReply: {
            error: {
                /** @description What is wrong and what to do. */
                message: string;
                /** @description OpenAI's class of error. */
                type: string;
                /** @description The field that is wrong. */
                param: string | null;
                /** @description Stable, machine-readable. */
                code: string;
                /**
                 * @description Who failed.
                 * @enum {string}
                 */
                source: "gateway" | "cropper" | "target";
                /** @description The upstream's status, its code and its reason, cleaned and cut; and, where a target failed, the whole reply of /crop as crop. */
                details?: {
                    crop?: components["schemas"]["CropReply"];
                } & {
                    [key: string]: unknown;
                };
            };
            /** @description Also in the header x-request-id. */
            request_id: string;
        };
        /** @description A model that is loaded. */
        ModelInfo: {
            /** @description Name of its folder. */
            id: string;
            /**
             * @description Its use.
             * @enum {string}
             */
            role: "cropper" | "target";
            /** @description The folder's own mark of its version. */
            revision: string | null;
            /** @description Longest edges in pixels that it can see. */
            resolutions: number[];
            /** @description The one it takes by itself. */
            default_resolution: number;
            /** @description Of its graphs. */
            precision: string;
            /** @description Why that one. */
            precision_reason: string;
            /** @description File to its sha256 in hexadecimal. */
            sha256: {
                [key: string]: string;
            };
            /** @description How it was trained, as the folder says; null where it does not. */
            training: {
                [key: string]: unknown;
            } | null;
            /** @description What users of the model should know; null where there is nothing to warn of. */
            warning: string | null;
        };
        /** @description Where models run. */
        ProviderInfo: {
            /** @description cpu or cuda. */
            name: string;
            /** @description Why that one. */
            reason: string;
        };
        /** @description Whether an endpoint is asked that fails again and again. */
        BreakerInfo: {
            /** @description Whether it is not asked now. */
            open: boolean;
            /** @description Failures in a row. */
            failures: number;
            /** @description Until it is asked again; null while it is asked. */
            retry_in_ms: number | null;
        };
        /** @description What finds the boxes. */
        CropperInfo: {
            /** @description As CROPPER names it. */
            name: string;
            /** @description Why the configuration means this one. */
            reason: string | null;
            /** @description The model behind an endpoint; null where none is asked. */
            model: string | null;
            /** @description How that model writes boxes; null where none is asked. */
            dialect: string | null;
            /** @description Longest edges in pixels that may be asked for; empty where none may (the text reader), null where any may, or while they are not known. */
            resolutions: number[] | null;
            /** @description What users of its boxes should know. */
            warnings: string[];
            /** @description null where every call is made: no endpoint is asked, or TARGET_BREAKER_FAILURES is 0. */
            breaker: components["schemas"]["BreakerInfo"] | null;
        };
        /** @description What a request must keep to. */
        Limits: {
            /** @description Largest body. */
            body_bytes: number;
            /** @description Largest image, width times height. */
            pixels: number;
            /** @description Longest edge by shortest. */
            aspect: number;
            /** @description Longest question. */
            question_chars: number;
            /** @description Deadline of a request. */
            request_timeout_ms: number;
            /** @description Jobs that may wait. */
            queue: number;
            /** @description Whether images are fetched from URLs. */
            image_urls: boolean;
        };
        /** @description What a target at an endpoint is shown and told. */
        TargetProfile: {
            /** @description As TARGET_PROFILE names it. */
            name: string;
            /** @description At most how many times a small crop is enlarged. */
            crop_enlarge: number;
            /** @description Least pixels of either side of a picture. */
            min_side: number;
            /** @description The text with {question} in it that follows the pictures; null: the paper's. */
            prompt: string | null;
            /** @description The system message; null: none. */
            system: string | null;
            /** @description The field that limits the answer, unless the endpoint refuses it. */
            tokens_field: string;
            /** @description Whether it is sent one, unless the endpoint refuses it. */
            takes_temperature: boolean;
            /** @description Tokens that it may think with, beyond max_tokens. */
            reasoning_tokens: number;
        };
        /** @description A target that can be asked. */
        TargetInfo: {
            /** @description What a request's `target` calls it. */
            name: string;
            /** @description The model. */
            model: string;
            /** @description vlm; or reader, which reads text and takes a line of it, and knows nothing of what a picture shows. */
            kind: string;
            /** @description Whether this service runs it. */
            local: boolean;
            /** @description To which the full image is shrunk; null: it is not. */
            full_longest_edge: number | null;
            /** @description To which the crop is shrunk or enlarged; null: it is not. */
            crop_longest_edge: number | null;
            /** @description null where every call is made: no endpoint is asked, or TARGET_BREAKER_FAILURES is 0. */
            breaker: components["schemas"]["BreakerInfo"] | null;
            /** @description null for what the service runs itself. */
            profile: components["schemas"]["TargetProfile"] | null;
        };
        /** @description What runs here and within which limits. */
        InfoReply: {
            /** @description cropvlm */
            name: string;
            /** @description Of this service. */
            version: string;
            /** @description Empty until they have loaded. */
            models: components["schemas"]["ModelInfo"][];
            /** @description The text reader; null: none is loaded. */
            reader: string | null;
            /** @description null until the models have loaded. */
            execution_provider: components["schemas"]["ProviderInfo"] | null;
            cropper: components["schemas"]["CropperInfo"];
            limits: components["schemas"]["Limits"];
            /** @description The first is the default. */
            targets: components["schemas"]["TargetInfo"][];
        };
        /** @description An image in OpenAI's forms, image_url and input_image. */
        ImageUrl: {
            image_url: string | {
                /** @description A data URL or base64; or a link, where the service fetches any. */
                url: string;
            };
        };
        /** @description An image in Anthropic's form. */
        ImageSource: {
            source: {
                /** @description Base64. */
                data: string;
            } | {
                /** @description A data URL; or a link. */
                url: string;
            };
        };
        /** @description An image by its data URL. */
        ImageLink: {
            /** @description A data URL or base64; or a link, where the service fetches any. */
            url: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getOpenapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description The request is no well-formed HTTP. */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    crop: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of your own, which the reply and the log then have. Default: a new one. */
                "x-request-id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description A JPEG, PNG or WebP file.
                     */
                    image: string;
                    /**
                     * @description About the image; or send `questions`.
                     * @example What is the total?
                     */
                    question?: string;
                    /** @description Several questions about the image instead of `question`: the image is read once, and the reply has `results`, one for each. In a form: the field repeated, or a JSON array. */
                    questions?: string[];
                    /** @description Longest edge in pixels the cropper sees: one of those that GET /info lists. Default: the model's own. */
                    resolution?: number;
                    /**
                     * @description Grows the box's area by this factor about its centre, clamped to the image.
                     * @default 1
                     */
                    expand?: number;
                    /**
                     * @description When the crop is used: always; auto leaves out one that would not help (the target sees every pixel anyway, the confidence is below ZOOM_MIN_CONFIDENCE, or the box covers nearly everything); never does not even look for a box.
                     * @default always
                     * @enum {string}
                     */
                    zoom?: "always" | "auto" | "never";
                    /** @description A region of your own, [x1, y1, x2, y2] in whole per cent of the image after EXIF orientation: it is used, and the cropper is not asked (decision is `given`). In a form: 12,5,80,47, a JSON array, or the field repeated. */
                    box?: number[];
                    /**
                     * @description What to return beside the box: the crop, or the image with the box drawn.
                     * @default box
                     * @enum {string}
                     */
                    return?: "box" | "crop" | "overlay";
                    /**
                     * @description Format of a returned picture.
                     * @default jpeg
                     * @enum {string}
                     */
                    format?: "jpeg" | "png" | "webp";
                    /**
                     * @description Quality of a returned JPEG or WebP.
                     * @default 90
                     */
                    quality?: number;
                };
                "application/json": {
                    /** @description A JPEG, PNG or WebP file as a data URL or as base64, in OpenAI's and Anthropic's forms too. An http or https link is fetched where the service allows its host (IMAGE_URLS, IMAGE_URL_HOSTS). Send files of several megabytes as multipart/form-data instead: it is read as it arrives, while a long JSON text is parsed in one go, and other requests wait for that. */
                    image: string | components["schemas"]["ImageUrl"] | components["schemas"]["ImageSource"] | components["schemas"]["ImageLink"];
                    /**
                     * @description About the image; or send `questions`.
                     * @example What is the total?
                     */
                    question?: string;
                    /** @description Several questions about the image instead of `question`: the image is read once, and the reply has `results`, one for each. In a form: the field repeated, or a JSON array. */
                    questions?: string[];
                    /** @description Longest edge in pixels the cropper sees: one of those that GET /info lists. Default: the model's own. */
                    resolution?: number;
                    /**
                     * @description Grows the box's area by this factor about its centre, clamped to the image.
                     * @default 1
                     */
                    expand?: number;
                    /**
                     * @description When the crop is used: always; auto leaves out one that would not help (the target sees every pixel anyway, the confidence is below ZOOM_MIN_CONFIDENCE, or the box covers nearly everything); never does not even look for a box.
                     * @default always
                     * @enum {string}
                     */
                    zoom?: "always" | "auto" | "never";
                    /** @description A region of your own, [x1, y1, x2, y2] in whole per cent of the image after EXIF orientation: it is used, and the cropper is not asked (decision is `given`). In a form: 12,5,80,47, a JSON array, or the field repeated. */
                    box?: number[];
                    /**
                     * @description What to return beside the box: the crop, or the image with the box drawn.
                     * @default box
                     * @enum {string}
                     */
                    return?: "box" | "crop" | "overlay";
                    /**
                     * @description Format of a returned picture.
                     * @default jpeg
                     * @enum {string}
                     */
                    format?: "jpeg" | "png" | "webp";
                    /**
                     * @description Quality of a returned JPEG or WebP.
                     * @default 90
                     */
                    quality?: number;
                };
            };
        };
        responses: {
            /** @description The region, or a list of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CropReply"] | components["schemas"]["CropListReply"];
                };
            };
            /** @description Malformed body, missing or empty field, unknown option, bad base64, too long a question. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The service has an API_KEY, and the bearer token is not it. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description A URL that is not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Bytes, pixels or aspect over the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Not JPEG, PNG or WebP by content, or a content type that is not read. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description An image of an accepted format that cannot be decoded, or one that cannot be fetched from its link. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The queue is full; see Retry-After. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The cropper's endpoint failed; Retry-After is there where it is not asked for now, because it failed again and again. */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Loading, draining or the engine is being restarted; see Retry-After. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The request's deadline passed, or the cropper's endpoint or the host of the image's link timed out. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    answer: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of your own, which the reply and the log then have. Default: a new one. */
                "x-request-id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description A JPEG, PNG or WebP file.
                     */
                    image: string;
                    /**
                     * @description About the image.
                     * @example What is the total?
                     */
                    question: string;
                    /** @description Longest edge in pixels the cropper sees: one of those that GET /info lists. Default: the model's own. */
                    resolution?: number;
                    /**
                     * @description Grows the box's area by this factor about its centre, clamped to the image.
                     * @default 1
                     */
                    expand?: number;
                    /**
                     * @description When the crop is used: always; auto leaves out one that would not help (the target sees every pixel anyway, the confidence is below ZOOM_MIN_CONFIDENCE, or the box covers nearly everything); never does not even look for a box.
                     * @default always
                     * @enum {string}
                     */
                    zoom?: "always" | "auto" | "never";
                    /** @description A region of your own, [x1, y1, x2, y2] in whole per cent of the image after EXIF orientation: it is used, and the cropper is not asked (decision is `given`). In a form: 12,5,80,47, a JSON array, or the field repeated. */
                    box?: number[];
                    /**
                     * @description What to return beside the box: the crop, or the image with the box drawn.
                     * @default box
                     * @enum {string}
                     */
                    return?: "box" | "crop" | "overlay";
                    /**
                     * @description Format of a returned picture.
                     * @default jpeg
                     * @enum {string}
                     */
                    format?: "jpeg" | "png" | "webp";
                    /**
                     * @description Quality of a returned JPEG or WebP.
                     * @default 90
                     */
                    quality?: number;
                    /** @description Name of a configured target; GET /info lists them. Default: the first. */
                    target?: string;
                    /**
                     * @description What the target sees: zoom is the full image and the crop, full has no crop, crop is the crop alone.
                     * @default zoom
                     * @enum {string}
                     */
                    mode?: "zoom" | "full" | "crop";
                    /**
                     * @description Also answer from the full image alone, and return both.
                     * @default false
                     */
                    compare?: boolean;
                    /** @description Longest edge in pixels of the full image as the target gets it, or original. Default: the target's, which GET /info has. */
                    full_edge?: number | "original";
                    /** @description Longest edge in pixels to which the crop is shrunk or enlarged for the target, or original. Default: the target's. */
                    crop_edge?: number | "original";
                    /** @description With `compare`, longest edge in pixels of the full image that is compared with, or original. Default: `full_edge`. */
                    compare_edge?: number | "original";
                    /**
                     * @description Most tokens the target may answer with.
                     * @default 64
                     */
                    max_tokens?: number;
                    /**
                     * @description The target's sampling temperature; 0 is greedy.
                     * @default 0
                     */
                    temperature?: number;
                };
                "application/json": {
                    /** @description A JPEG, PNG or WebP file as a data URL or as base64, in OpenAI's and Anthropic's forms too. An http or https link is fetched where the service allows its host (IMAGE_URLS, IMAGE_URL_HOSTS). Send files of several megabytes as multipart/form-data instead: it is read as it arrives, while a long JSON text is parsed in one go, and other requests wait for that. */
                    image: string | components["schemas"]["ImageUrl"] | components["schemas"]["ImageSource"] | components["schemas"]["ImageLink"];
                    /**
                     * @description About the image.
                     * @example What is the total?
                     */
                    question: string;
                    /** @description Longest edge in pixels the cropper sees: one of those that GET /info lists. Default: the model's own. */
                    resolution?: number;
                    /**
                     * @description Grows the box's area by this factor about its centre, clamped to the image.
                     * @default 1
                     */
                    expand?: number;
                    /**
                     * @description When the crop is used: always; auto leaves out one that would not help (the target sees every pixel anyway, the confidence is below ZOOM_MIN_CONFIDENCE, or the box covers nearly everything); never does not even look for a box.
                     * @default always
                     * @enum {string}
                     */
                    zoom?: "always" | "auto" | "never";
                    /** @description A region of your own, [x1, y1, x2, y2] in whole per cent of the image after EXIF orientation: it is used, and the cropper is not asked (decision is `given`). In a form: 12,5,80,47, a JSON array, or the field repeated. */
                    box?: number[];
                    /**
                     * @description What to return beside the box: the crop, or the image with the box drawn.
                     * @default box
                     * @enum {string}
                     */
                    return?: "box" | "crop" | "overlay";
                    /**
                     * @description Format of a returned picture.
                     * @default jpeg
                     * @enum {string}
                     */
                    format?: "jpeg" | "png" | "webp";
                    /**
                     * @description Quality of a returned JPEG or WebP.
                     * @default 90
                     */
                    quality?: number;
                    /** @description Name of a configured target; GET /info lists them. Default: the first. */
                    target?: string;
                    /**
                     * @description What the target sees: zoom is the full image and the crop, full has no crop, crop is the crop alone.
                     * @default zoom
                     * @enum {string}
                     */
                    mode?: "zoom" | "full" | "crop";
                    /**
                     * @description Also answer from the full image alone, and return both.
                     * @default false
                     */
                    compare?: boolean;
                    /** @description Longest edge in pixels of the full image as the target gets it, or original. Default: the target's, which GET /info has. */
                    full_edge?: number | "original";
                    /** @description Longest edge in pixels to which the crop is shrunk or enlarged for the target, or original. Default: the target's. */
                    crop_edge?: number | "original";
                    /** @description With `compare`, longest edge in pixels of the full image that is compared with, or original. Default: `full_edge`. */
                    compare_edge?: number | "original";
                    /**
                     * @description Most tokens the target may answer with.
                     * @default 64
                     */
                    max_tokens?: number;
                    /**
                     * @description The target's sampling temperature; 0 is greedy.
                     * @default 0
                     */
                    temperature?: number;
                };
            };
        };
        responses: {
            /** @description The region and the answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerReply"];
                };
            };
            /** @description Malformed body, missing or empty field, unknown option, bad base64, too long a question. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The service has an API_KEY, and the bearer token is not it. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description A URL that is not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Bytes, pixels or aspect over the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Not JPEG, PNG or WebP by content, or a content type that is not read. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description An image of an accepted format that cannot be decoded, or one that cannot be fetched from its link. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The queue is full; see Retry-After. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The cropper's endpoint failed; or the target did, and error.details.crop has the box. Retry-After is there where it is not asked for now, because it failed again and again. */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Loading, draining or the engine is being restarted; see Retry-After. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The request's deadline passed, or the cropper's endpoint, the host of the image's link or the target timed out; of a target, error.details.crop has the box. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    chatCompletions: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of your own, which the reply and the log then have. Default: a new one. */
                "x-request-id"?: string;
                /** @description When a crop is put in. Default: ZOOM. */
                "x-cropvlm-zoom"?: "off" | "auto" | "always";
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description The target's reply; an event stream where the request asks for one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description The header or the field `cropvlm` is wrong. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The service has an API_KEY, and the bearer token is not it. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The body is over PROXY_MAX_BODY_BYTES. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target cannot be reached, or hung up. */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Shutting down; see Retry-After. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target was silent for PROXY_FIRST_BYTE_TIMEOUT_MS. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    responses: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of your own, which the reply and the log then have. Default: a new one. */
                "x-request-id"?: string;
                /** @description When a crop is put in. Default: ZOOM. */
                "x-cropvlm-zoom"?: "off" | "auto" | "always";
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description The target's reply; an event stream where the request asks for one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description The header or the field `cropvlm` is wrong. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The service has an API_KEY, and the bearer token is not it. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The body is over PROXY_MAX_BODY_BYTES. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target cannot be reached, or hung up. */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Shutting down; see Retry-After. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target was silent for PROXY_FIRST_BYTE_TIMEOUT_MS. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    messages: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of your own, which the reply and the log then have. Default: a new one. */
                "x-request-id"?: string;
                /** @description When a crop is put in. Default: ZOOM. */
                "x-cropvlm-zoom"?: "off" | "auto" | "always";
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description The target's reply; an event stream where the request asks for one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description The header or the field `cropvlm` is wrong. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The service has an API_KEY, and the bearer token is not it. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The body is over PROXY_MAX_BODY_BYTES. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target cannot be reached, or hung up. */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Shutting down; see Retry-After. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target was silent for PROXY_FIRST_BYTE_TIMEOUT_MS. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    zoom: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of your own, which the reply and the log then have. Default: a new one. */
                "x-request-id"?: string;
                /** @description When a crop is put in. Default: ZOOM. */
                "x-cropvlm-zoom"?: "off" | "auto" | "always";
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description The request. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description The header or the field `cropvlm` is wrong. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The service has an API_KEY, and the bearer token is not it. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The body is over PROXY_MAX_BODY_BYTES. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target cannot be reached, or hung up. */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Shutting down; see Retry-After. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target was silent for PROXY_FIRST_BYTE_TIMEOUT_MS. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    listModels: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of your own, which the reply and the log then have. Default: a new one. */
                "x-request-id"?: string;
                /** @description When a crop is put in. Default: ZOOM. */
                "x-cropvlm-zoom"?: "off" | "auto" | "always";
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description The header or the field `cropvlm` is wrong. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The service has an API_KEY, and the bearer token is not it. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The body is over PROXY_MAX_BODY_BYTES. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target cannot be reached, or hung up. */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description Shutting down; see Retry-After. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The target was silent for PROXY_FIRST_BYTE_TIMEOUT_MS. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is live. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "live";
                    };
                };
            };
            /** @description The request is no well-formed HTTP. */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    getLive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is live. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "live";
                    };
                };
            };
            /** @description The request is no well-formed HTTP. */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    getReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is ready. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "ready";
                    };
                };
            };
            /** @description Loading, draining, or the engine is down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
            /** @description The request is no well-formed HTTP. */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Text. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description The request is no well-formed HTTP. */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
    getInfo: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What runs here. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InfoReply"];
                };
            };
            /** @description The service has an API_KEY, and the bearer token is not it. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorReply"];
                };
            };
        };
    };
}
