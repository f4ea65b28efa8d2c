/** Calls every operation by openapi-fetch, with types by openapi-typescript. */
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import { assertPng, ended, key, run, service } from "./checks.js";
import type { components, paths } from "./generated/openapi-typescript.js";

type Schemas = components["schemas"];
type Problem = "application/problem+json";

// Each client is typed for one media type of the responses, and for problems.
const headers = { Authorization: `Bearer ${key}` };
const images = createClient<paths, "image/png" | Problem>({ baseUrl: service, headers });
const responses = createClient<paths, "application/json" | Problem>({
    baseUrl: service,
    headers: { ...headers, Accept: "application/json" },
});
type Text = "text/html" | "text/event-stream" | "application/openmetrics-text";
const texts = createClient<paths, Text | Problem>({ baseUrl: service, headers });
const files = createClient<paths, "application/octet-stream" | Problem>({ baseUrl: service, headers });

const phantom = { path: { model: "phantom" } };
const smile = { path: { ...phantom.path, attribute: "smile", space: "w" } } as const;
const arrayBuffer = { parseAs: "arrayBuffer" } as const;

/** The data of a response. Fails if the response is a problem. */
function data<Data>(response: { data?: Data; error?: unknown }): Data {
    assert.equal(response.error, undefined, JSON.stringify(response.error));
    assert.ok(response.data !== undefined);
    return response.data;
}

/** An image of seed 7. With the metadata "full" it carries its code, and takes no search to invert. */
async function sampleSeven(metadata: Schemas["Metadata"]): Promise<ArrayBuffer> {
    const body: Schemas["SampleInput"] = { seed: 7, metadata };
    return data(await images.POST("/v1/sample", { body, ...arrayBuffer }));
}

/** Serialize a body as multipart/form-data; an array becomes several fields of one name. */
function form(body: unknown): FormData {
    const made = new FormData();
    for (const [name, value] of Object.entries(body as object)) {
        for (const one of Array.isArray(value) ? value : [value]) {
            made.append(name, one instanceof Blob ? one : String(one));
        }
    }
    return made;
}

/** Send a file as the body. */
const asIs = (type: string) => ({ headers: { "Content-Type": type }, bodySerializer: (body: unknown) => body });

/** A file as openapi-typescript's type for files, which is string. */
function file(bytes: ArrayBuffer): string {
    return new Blob([bytes]) as unknown as string;
}

const base64 = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString("base64");

async function statusOf(job: string): Promise<string> {
    const found = await responses.GET("/v1/jobs/{job}", { params: { path: { job } } });
    return data(found).status;
}

await run({
    "the service lives and is ready": async () => {
        data(await responses.GET("/health/live"));
        data(await responses.GET("/health/ready"));
    },
    "a session begins and ends": async () => {
        const begun = await responses.POST("/session");
        assert.match(begun.response.headers.get("Set-Cookie") ?? "", /^faceplane-session=/);
        assert.equal((await responses.DELETE("/session")).response.status, 204);
    },
    "metrics are text": async () => {
        const found = data(await texts.GET("/metrics", { parseAs: "text" }));
        assert.match(found, /faceplane_requests_total/);
    },
    "the models are listed and described": async () => {
        const { models } = data(await responses.GET("/v1/models"));
        assert.deepEqual(models.map(({ name }) => name), ["phantom", "portraits"]);
        const { spaces } = data(await responses.GET("/v1/models/{model}", { params: phantom }));
        assert.deepEqual(spaces.map(({ name }) => name), ["z", "w", "w+"]);
    },
    "a model is dropped and loaded again, and the default stays": async () => {
        const portraits = { params: { path: { model: "portraits" } } };
        assert.equal((await responses.DELETE("/v1/models/{model}", portraits)).response.status, 204);
        assert.equal((await responses.PUT("/v1/models/{model}", portraits)).response.status, 201);
        assert.equal(data(await responses.PUT("/v1/models/{model}", portraits)).name, "portraits");
        const { error } = await responses.DELETE("/v1/models/{model}", { params: phantom });
        assert.equal(error?.type, "urn:faceplane:problem:default-model");
    },
    "a seed alone is a face, by URL and by body": async () => {
        const byUrl = data(await images.GET("/v1/sample", { params: { query: { seed: 7 } }, ...arrayBuffer }));
        const byBody = data(await images.POST("/v1/sample", { body: { seed: 7 }, ...arrayBuffer }));
        assertPng(byUrl);
        assert.deepEqual(byBody, byUrl);
    },
    "four faces have four seeds": async () => {
        const { faces } = data(await responses.POST("/v1/sample", { body: { seed: 7, count: 4, psi: 0.7 } }));
        assert.deepEqual(faces.map(({ seed }) => seed), [7, 8, 9, 10]);
    },
    "a code of a response is taken back in each space": async () => {
        for (const space of ["z", "w", "w+"] as const) {
            const [face] = data(await responses.POST("/v1/sample", { body: { seed: 7, space } })).faces;
            assert.ok(face);
            const body: Schemas["SampleInput"] = { latent: face.latent };
            assertPng(data(await images.POST("/v1/sample", { body, ...arrayBuffer })));
        }
    },
    "an edit is another image, by URL and by body": async () => {
        const query = { seed: 7, edit: ["smile:3"] };
        const byUrl = data(await images.GET("/v1/edit", { params: { query }, ...arrayBuffer }));
        const body: Schemas["EditInput"] = { seed: 7, format: "png", edits: [{ attribute: "smile", by: 3 }] };
        const byBody = data(await images.POST("/v1/edit", { body, ...arrayBuffer }));
        assertPng(byUrl);
        assertPng(byBody);
        assert.notDeepEqual(byUrl, await sampleSeven("full"));
    },
    "a score is reached while a condition is held": async () => {
        const edits = [{ attribute: "smile", to_score: 0.9 }];
        const body: Schemas["EditInput"] = { seed: 7, format: "png", conditions: ["age"], edits };
        assertPng(data(await images.POST("/v1/edit", { body, ...arrayBuffer })));
        body.format = "json";
        const { score_search: search } = data(await responses.POST("/v1/edit", { body }));
        assert.ok(search?.reached && Math.abs(search.after - 0.9) <= 0.02);
        assert.deepEqual(Object.keys(search.conditions), ["age"]);
    },
    "a trajectory is a strip": async () => {
        const body: Schemas["EditInput"] = {
            seed: 7,
            edits: [{ attribute: "age" }],
            trajectory: { start: -3, end: 3, steps: 3 },
            layout: "strip",
        };
        assertPng(data(await images.POST("/v1/edit", { body, ...arrayBuffer })));
        const { positions } = data(await responses.POST("/v1/edit", { body }));
        assert.deepEqual(positions, [-3, 0, 3]);
    },
    "a motion between faces is an animation, by URL and by body": async () => {
        const query = { seeds: "7,8", frames: 3 };
        assertPng(data(await images.GET("/v1/interpolate", { params: { query }, ...arrayBuffer })));
        const faces = [{ image: base64(await sampleSeven("full")) }, { seed: 8 }];
        const body: Schemas["InterpolateInput"] = { faces, frames: 4, loop: true };
        const { positions } = data(await responses.POST("/v1/interpolate", { body }));
        assert.deepEqual(positions, [0, 0.5, 1, 1.5]);
    },
    "styles are mixed, by URL and by body": async () => {
        const query = { rows: ["7"], columns: ["8", "9"], layers: "0-1" };
        assertPng(data(await images.GET("/v1/mix", { params: { query }, ...arrayBuffer })));
        const body: Schemas["MixInput"] = { rows: [{ seed: 7 }], columns: [{ seed: 8 }, { seed: 9 }], layers: "0-1" };
        const { cells } = data(await responses.POST("/v1/mix", { body }));
        assert.deepEqual(cells.map(({ length }) => length), [2]);
    },
    "an image is edited, as a form, as the body and as JSON": async () => {
        const image = await sampleSeven("full");
        const fields: Schemas["EditForm"] = { file: file(image), edit: ["smile:3", "age:1"] };
        assertPng(data(await images.POST("/v1/edit", { body: fields, bodySerializer: form, ...arrayBuffer })));
        const sent = { ...asIs("image/png"), body: file(image), ...arrayBuffer };
        assertPng(data(await images.POST("/v1/edit", { params: { query: { edit: ["smile:3"] } }, ...sent })));
        const body: Schemas["EditInput"] = { image: base64(image), edits: [{ attribute: "smile", by: 3 }] };
        assertPng(data(await images.POST("/v1/edit", { body, ...arrayBuffer })));
    },
    "a conditional edit moves along a direction orthogonal to its condition": async () => {
        const query = { seed: 7, space: "z" as const, edit: ["age:3"], condition: ["eyeglasses"] };
        assertPng(data(await images.GET("/v1/conditional-edit", { params: { query }, ...arrayBuffer })));
        const edits = [{ attribute: "age", by: 3 }];
        const body: Schemas["ConditionalEditInput"] = { seed: 7, edits, conditions: ["eyeglasses"] };
        const { directions } = data(await responses.POST("/v1/conditional-edit", { body }));
        assert.ok(Math.abs(directions[0]?.cosines["eyeglasses"] ?? 1) < 1e-6);
    },
    "an image is inverted, as a form and as JSON": async () => {
        const image = await sampleSeven("none");
        const fields: Schemas["InvertForm"] = { file: file(image), method: "encoder" };
        assertPng(data(await images.POST("/v1/invert", { body: fields, bodySerializer: form, ...arrayBuffer })));
        const body: Schemas["InvertInput"] = { image: base64(image), method: "refine", steps: 2 };
        const { psnr, face } = data(await responses.POST("/v1/invert", { body }));
        assert.ok(psnr > 10);
        assert.equal(face.latent.space, "w");
    },
    "an image is inverted in the background": async () => {
        const body: Schemas["InvertInput"] = { image: base64(await sampleSeven("none")), method: "encoder" };
        const { id } = data(await responses.POST("/v1/inversions", { body }));
        const params = { path: { inversion: id } };
        const status = async () => data(await responses.GET("/v1/inversions/{inversion}", { params })).status;
        assert.equal(await ended(status), "done");
        const { result } = data(await responses.GET("/v1/inversions/{inversion}", { params }));
        assert.equal(result?.face.latent.space, "w");
        assert.equal(data(await responses.DELETE("/v1/inversions/{inversion}", { params })).status, "done");
    },
    "a face is scored": async () => {
        const byUrl = data(await responses.GET("/v1/score", { params: { query: { seed: 7 } } }));
        const byBody = data(await responses.POST("/v1/score", { body: { seed: 7 } }));
        assert.deepEqual(byBody, byUrl);
        assert.ok(byUrl.scores?.some(({ attribute }) => attribute === "smile"));
        assert.equal(typeof byUrl.distances?.["smile"], "number");
    },
    "a boundary is trained": async () => {
        const body: Schemas["TrainInput"] = { attributes: ["smile"], space: "w", samples: 200, ratio: 0.2 };
        const begun = await responses.POST("/v1/models/{model}/boundaries", { params: phantom, body });
        const { id } = data(begun);
        assert.equal(await ended(() => statusOf(id)), "done");
        const { jobs } = data(await responses.GET("/v1/jobs"));
        assert.ok(jobs.some((job) => job.id === id));
        const params = { path: { job: id } };
        const samples = data(await files.GET("/v1/jobs/{job}/samples", { params, ...arrayBuffer }));
        assert.equal(Buffer.from(samples).toString("latin1", 0, 2), "PK");
        const again: Schemas["TrainInput"] = {
            attributes: ["smile"],
            names: ["smile-2"],
            samples_from: id,
            keep: "better",
        };
        const refit = data(await responses.POST("/v1/models/{model}/boundaries", { params: phantom, body: again }));
        assert.equal(await ended(() => statusOf(refit.id)), "done");
        const job = data(await responses.GET("/v1/jobs/{job}", { params: { path: { job: refit.id } } }));
        assert.equal(job.comparisons?.[0]?.kept, "new");
    },
    "directions are found": async () => {
        const body: Schemas["DirectionsInput"] = { method: "pca", count: 2, samples: 1000 };
        const begun = await responses.POST("/v1/models/{model}/directions", { params: phantom, body });
        const { id } = data(begun);
        assert.equal(await ended(() => statusOf(id)), "done");
        const path = { model: "phantom", attribute: "pca-1", space: "w" } as const;
        const found = await responses.GET("/v1/models/{model}/boundaries/{attribute}/{space}", { params: { path } });
        assert.equal(data(found).attribute, "pca-1");
    },
    "a boundary is listed, fetched, sent and removed": async () => {
        const { boundaries } = data(await responses.GET("/v1/models/{model}/boundaries", { params: phantom }));
        assert.ok(boundaries.some(({ attribute, space }) => attribute === "smile" && space === "w"));
        const path = "/v1/models/{model}/boundaries/{attribute}/{space}";
        const body = data(await responses.GET(path, { params: smile }));
        assert.equal(body.normal.length, 64);
        data(await responses.PUT(path, { params: smile, body }));
        const npy = data(await files.GET(path, { params: { ...smile, query: { format: "npy" } }, ...arrayBuffer }));
        assert.equal(Buffer.from(npy).toString("latin1", 1, 6), "NUMPY");
        const sent = { ...asIs("application/octet-stream"), body: file(npy) };
        data(await responses.PUT(path, { params: { ...smile, query: { intercept: 0.5 } }, ...sent }));
        assert.ok(data(await responses.DELETE(path, { params: smile })).restored);
        const query = { version: "original" as const };
        assert.equal(data(await responses.GET(path, { params: { ...smile, query } })).normal.length, 64);
    },
    "a job is followed, and its report is JSON and a page": async () => {
        const body: Schemas["ReportInput"] = { seed: 1, samples: 50, faces: 1 };
        const begun = await responses.POST("/v1/models/{model}/report", { params: phantom, body });
        const { id } = data(begun);
        assert.equal(await ended(() => statusOf(id)), "done");
        const params = { path: { job: id } };
        const events = await texts.GET("/v1/jobs/{job}", {
            params,
            parseAs: "text",
            headers: { Accept: "text/event-stream" },
        });
        assert.match(data(events), /^event: ?end$/m);
        const report = data(await responses.GET("/v1/jobs/{job}/report", { params }));
        assert.equal(report.samples, 50);
        const page = await texts.GET("/v1/jobs/{job}/report", {
            params,
            parseAs: "text",
            headers: { Accept: "text/html" },
        });
        assert.match(data(page), /^<!doctype html>/i);
    },
    "a job is cancelled": async () => {
        const begun = await responses.POST("/v1/models/{model}/report", { params: phantom, body: { samples: 5000 } });
        const { id } = data(begun);
        data(await responses.DELETE("/v1/jobs/{job}", { params: { path: { job: id } } }));
        assert.equal(await ended(() => statusOf(id)), "cancelled");
    },
    "an error is a typed problem": async () => {
        const { error, response } = await images.GET("/v1/sample", { params: { query: { model: "none" } } });
        assert.equal(response.status, 404);
        assert.equal(error?.status, 404);
        assert.match(error.type, /^urn:faceplane:problem:/);
        // @ts-expect-error: the compiler refuses a field that does not exist, and so does the service.
        const body: Schemas["SampleInput"] = { sed: 7 };
        const wrong = await responses.POST("/v1/sample", { body });
        assert.equal(wrong.error?.status, 422);
    },
});
