/** Calls every operation by the typescript-fetch client of openapi-generator. */
import assert from "node:assert/strict";
import { assertPng, ended, key, run, service } from "./checks.js";
import {
    BoundariesApi,
    BoundaryVersion,
    type ConditionalEditInput,
    Configuration,
    DirectionMethod,
    EditResponseFromJSON,
    type EditInput,
    FacesApi,
    Format,
    HealthApi,
    InterpolateResponseFromJSON,
    type InterpolateInput,
    InversionMethod,
    InversionsApi,
    InvertResponseFromJSON,
    type InvertInput,
    JobsApi,
    KeepRule,
    KeptBoundary,
    Layout,
    Metadata,
    MixResponseFromJSON,
    type MixInput,
    ModelsApi,
    ProblemDocumentFromJSON,
    ResponseError,
    SampleResponseFromJSON,
    type SampleInput,
    SessionApi,
    Space,
} from "./generated/typescript-fetch/index.js";

const configuration = new Configuration({ basePath: service, accessToken: key });
const faces = new FacesApi(configuration);
const boundaries = new BoundariesApi(configuration);
const inversions = new InversionsApi(configuration);
const jobs = new JobsApi(configuration);
const health = new HealthApi(configuration);
const models = new ModelsApi(configuration);
const session = new SessionApi(configuration);

const phantom = { model: "phantom" };
const smile = { ...phantom, attribute: "smile", space: Space.W };
const json = Format.Json;

async function png(response: Promise<Blob>): Promise<ArrayBuffer> {
    const bytes = await (await response).arrayBuffer();
    assertPng(bytes);
    return bytes;
}

/** The JSON of an operation that has PNG as its first type: the client gives it as a blob too. */
async function numbers(response: Promise<Blob>): Promise<unknown> {
    return JSON.parse(await (await response).text());
}

/** An image of seed 7. With full metadata it carries its code, and takes no search to invert. */
async function sampleSeven(metadata: Metadata): Promise<ArrayBuffer> {
    return png(faces.sampleFaces({ sampleInput: { seed: 7, metadata } }));
}

const base64 = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString("base64");

const statusOf = async (job: string): Promise<string> => (await jobs.getJob({ job })).status;

await run({
    "the service lives and is ready": async () => {
        assert.ok(await health.checkLiveness());
        assert.ok(await health.checkReadiness());
    },
    "a session begins and ends": async () => {
        const { raw } = await session.beginSessionRaw({});
        assert.match(raw.headers.get("Set-Cookie") ?? "", /^faceplane-session=/);
        await session.endSession();
    },
    "metrics are text": async () => {
        assert.match(await health.getMetrics(), /faceplane_requests_total/);
    },
    "the models are listed and described": async () => {
        assert.deepEqual((await models.listModels()).models.map(({ name }) => name), ["phantom", "portraits"]);
        const { spaces } = await models.getModel(phantom);
        assert.deepEqual(spaces.map(({ name }) => name), [Space.Z, Space.W, Space.W_PLUS]);
    },
    "a model is dropped and loaded again, and the default stays": async () => {
        const portraits = { model: "portraits" };
        assert.equal((await models.dropModelRaw(portraits)).raw.status, 204);
        assert.equal((await models.loadModelRaw(portraits)).raw.status, 201);
        assert.equal((await models.loadModel(portraits)).name, "portraits");
        const error = await models.dropModel(phantom).catch((error: unknown) => error);
        assert.ok(error instanceof ResponseError);
        const { type } = ProblemDocumentFromJSON(await error.response.json());
        assert.equal(type, "urn:faceplane:problem:default-model");
    },
    "a seed alone is a face, by URL and by body": async () => {
        const byUrl = await png(faces.sampleFacesByUrl({ seed: 7 }));
        assert.deepEqual(await png(faces.sampleFaces({ sampleInput: { seed: 7 } })), byUrl);
    },
    "four faces have four seeds": async () => {
        const sampleInput: SampleInput = { seed: 7, count: 4, psi: 0.7, format: json };
        const response = SampleResponseFromJSON(await numbers(faces.sampleFaces({ sampleInput })));
        assert.deepEqual(response.faces.map(({ seed }) => seed), [7, 8, 9, 10]);
    },
    "a code of a response is taken back in each space": async () => {
        for (const space of [Space.Z, Space.W, Space.W_PLUS]) {
            const sampleInput: SampleInput = { seed: 7, space, format: json };
            const [face] = SampleResponseFromJSON(await numbers(faces.sampleFaces({ sampleInput }))).faces;
            await png(faces.sampleFaces({ sampleInput: { latent: face?.latent } }));
        }
    },
    "an edit is another image, by URL and by body": async () => {
        const byUrl = await png(faces.editFaceByUrl({ seed: 7, edit: ["smile:3"] }));
        assert.notDeepEqual(byUrl, await sampleSeven(Metadata.Full));
        const editInput: EditInput = { seed: 7, format: Format.Png, edits: [{ attribute: "smile", by: 3 }] };
        await png(faces.editFace({ editInput }));
    },
    "a score is reached while a condition is held": async () => {
        const edits = [{ attribute: "smile", toScore: 0.9 }];
        const editInput: EditInput = { seed: 7, conditions: ["age"], edits, format: json };
        const { scoreSearch: search } = EditResponseFromJSON(await numbers(faces.editFace({ editInput })));
        assert.ok(search?.reached && Math.abs(search.after - 0.9) <= 0.02);
        assert.deepEqual(Object.keys(search.conditions), ["age"]);
    },
    "a trajectory is a strip": async () => {
        const trajectory = { start: -3, end: 3, steps: 3 };
        const editInput: EditInput = { seed: 7, edits: [{ attribute: "age" }], trajectory, layout: Layout.Strip };
        await png(faces.editFace({ editInput }));
        const response = numbers(faces.editFace({ editInput: { ...editInput, format: json } }));
        assert.deepEqual(EditResponseFromJSON(await response).positions, [-3, 0, 3]);
    },
    "a motion between faces is an animation, by URL and by body": async () => {
        await png(faces.interpolateFacesByUrl({ seeds: "7,8", frames: 3 }));
        const image = base64(await sampleSeven(Metadata.Full));
        const interpolateInput: InterpolateInput = { faces: [{ image }, { seed: 8 }], frames: 4, loop: true, format: json };
        const moved = InterpolateResponseFromJSON(await numbers(faces.interpolateFaces({ interpolateInput })));
        assert.deepEqual(moved.positions, [0, 0.5, 1, 1.5]);
    },
    "styles are mixed, by URL and by body": async () => {
        await png(faces.mixFacesByUrl({ rows: ["7"], columns: ["8", "9"], layers: "0-1" }));
        const columns = [{ seed: 8 }, { seed: 9 }];
        const mixInput: MixInput = { rows: [{ seed: 7 }], columns, layers: "0-1", format: json };
        const { cells } = MixResponseFromJSON(await numbers(faces.mixFaces({ mixInput })));
        assert.deepEqual(cells.map(({ length }) => length), [2]);
    },
    "an image is edited": async () => {
        const image = base64(await sampleSeven(Metadata.Full));
        await png(faces.editFace({ editInput: { image, edits: [{ attribute: "smile", by: 3 }] } }));
    },
    "a conditional edit moves along a direction orthogonal to its condition": async () => {
        const query = { seed: 7, space: Space.Z, edit: ["age:3"], condition: ["eyeglasses"] };
        await png(faces.editFaceConditionallyByUrl(query));
        const edits = [{ attribute: "age", by: 3 }];
        const conditionalEditInput: ConditionalEditInput = { seed: 7, edits, conditions: ["eyeglasses"], format: json };
        const { directions } = EditResponseFromJSON(await numbers(faces.editFaceConditionally({ conditionalEditInput })));
        assert.ok(Math.abs(directions[0]?.cosines["eyeglasses"] ?? 1) < 1e-6);
    },
    "an image is inverted": async () => {
        const image = base64(await sampleSeven(Metadata.None));
        await png(faces.invertImage({ invertInput: { image, method: InversionMethod.Encoder } }));
        const invertInput: InvertInput = { image, method: InversionMethod.Refine, steps: 2, format: json };
        const { psnr, face } = InvertResponseFromJSON(await numbers(faces.invertImage({ invertInput })));
        assert.ok(psnr > 10);
        assert.equal(face.latent.space, Space.W);
    },
    "an image is inverted in the background": async () => {
        const invertInput: InvertInput = { image: base64(await sampleSeven(Metadata.None)), method: InversionMethod.Encoder };
        const { id: inversion } = await inversions.startInversion({ invertInput });
        assert.equal(await ended(async () => (await inversions.getInversion({ inversion })).status), "done");
        const { result } = await inversions.getInversion({ inversion });
        assert.equal(result?.face.latent.space, Space.W);
        assert.equal((await inversions.cancelInversion({ inversion })).status, "done");
    },
    "a face is scored": async () => {
        const byUrl = await faces.scoreFaceByUrl({ seed: 7 });
        assert.deepEqual(await faces.scoreFace({ scoreInput: { seed: 7 } }), byUrl);
        assert.ok(byUrl.scores?.some(({ attribute }) => attribute === "smile"));
        assert.equal(typeof byUrl.distances?.["smile"], "number");
    },
    "a boundary is trained": async () => {
        const trainInput = { attributes: ["smile"], space: Space.W, samples: 200, ratio: 0.2 };
        const { id } = await boundaries.trainBoundaries({ ...phantom, trainInput });
        assert.equal(await ended(() => statusOf(id)), "done");
        assert.ok((await jobs.listJobs()).jobs.some((job) => job.id === id));
        const samples = await (await jobs.getSamples({ job: id })).arrayBuffer();
        assert.equal(Buffer.from(samples).toString("latin1", 0, 2), "PK");
        const again = { attributes: ["smile"], names: ["smile-2"], samplesFrom: id, keep: KeepRule.Better };
        const refit = await boundaries.trainBoundaries({ ...phantom, trainInput: again });
        assert.equal(await ended(() => statusOf(refit.id)), "done");
        assert.equal((await jobs.getJob({ job: refit.id })).comparisons?.[0]?.kept, KeptBoundary.New);
    },
    "directions are found": async () => {
        const directionsInput = { method: DirectionMethod.Pca, count: 2, samples: 1000 };
        const { id } = await boundaries.findDirections({ ...phantom, directionsInput });
        assert.equal(await ended(() => statusOf(id)), "done");
        const found = await boundaries.getBoundary({ ...phantom, attribute: "pca-1", space: Space.W });
        assert.equal(found.attribute, "pca-1");
    },
    "a boundary is listed, fetched, sent and removed": async () => {
        const listed = (await boundaries.listBoundaries(phantom)).boundaries;
        assert.ok(listed.some(({ attribute, space }) => attribute === "smile" && space === Space.W));
        const boundaryDocument = await boundaries.getBoundary(smile);
        assert.equal(boundaryDocument.normal.length, 64);
        await boundaries.putBoundary({ ...smile, boundaryDocument });
        assert.ok((await boundaries.deleteBoundary(smile)).restored);
        const original = await boundaries.getBoundary({ ...smile, version: BoundaryVersion.Original });
        assert.equal(original.normal.length, 64);
    },
    "a report is JSON and a page": async () => {
        const { id } = await boundaries.startReport({ ...phantom, reportInput: { seed: 1, samples: 50, faces: 1 } });
        assert.equal(await ended(() => statusOf(id)), "done");
        assert.equal((await jobs.getReport({ job: id })).samples, 50);
        const page = await jobs.getReportRaw({ job: id }, { headers: { Accept: "text/html", Authorization: `Bearer ${key}` } });
        assert.match(await page.raw.text(), /^<!doctype html>/i);
    },
    "a job is cancelled": async () => {
        const { id } = await boundaries.startReport({ ...phantom, reportInput: { samples: 5000 } });
        await jobs.cancelJob({ job: id });
        assert.equal(await ended(() => statusOf(id)), "cancelled");
    },
    "an error is a typed problem": async () => {
        const error: unknown = await faces.sampleFacesByUrl({ model: "none" }).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof ResponseError);
        const { status, type } = ProblemDocumentFromJSON(await error.response.json());
        assert.equal(status, 404);
        assert.match(type, /^urn:faceplane:problem:/);
        // @ts-expect-error: the compiler refuses a field that does not exist.
        const sampleInput: SampleInput = { sed: 7 };
        await png(faces.sampleFaces({ sampleInput })); // the client does not send that field
    },
});
