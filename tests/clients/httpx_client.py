"""Calls every operation by the client of openapi-python-client."""

import json
from base64 import b64encode
from http import HTTPStatus
from io import BytesIO
from typing import Any

from checks import KEY, SERVICE, check, ended, is_png, run
from faceplane_httpx.api.boundaries import (
    delete_boundary,
    find_directions,
    get_boundary,
    list_boundaries,
    put_boundary,
    start_report,
    train_boundaries,
)
from faceplane_httpx.api.faces import (
    edit_face,
    edit_face_by_url,
    edit_face_conditionally,
    edit_face_conditionally_by_url,
    interpolate_faces,
    interpolate_faces_by_url,
    invert_image,
    mix_faces,
    mix_faces_by_url,
    sample_faces,
    sample_faces_by_url,
    score_face,
    score_face_by_url,
)
from faceplane_httpx.api.health import check_liveness, check_readiness, get_metrics
from faceplane_httpx.api.inversions import cancel_inversion, get_inversion, start_inversion
from faceplane_httpx.api.jobs import cancel_job, get_job, get_report, get_samples, list_jobs
from faceplane_httpx.api.models import drop_model, get_model, list_models, load_model
from faceplane_httpx.api.session import begin_session, end_session
from faceplane_httpx.client import AuthenticatedClient
from faceplane_httpx.models import (
    AttributeEdit,
    BoundaryDocument,
    BoundaryVersion,
    ConditionalEditInput,
    DirectionMethod,
    DirectionsInput,
    EditForm,
    EditInput,
    EditResponse,
    FaceInput,
    Format,
    InterpolateInput,
    InterpolateResponse,
    InversionMethod,
    InversionStatus,
    InvertForm,
    InvertInput,
    InvertResponse,
    KeepRule,
    KeptBoundary,
    Layout,
    Metadata,
    MixInput,
    MixResponse,
    ProblemDocument,
    ReportInput,
    SampleInput,
    SampleResponse,
    ScoreInput,
    Space,
    TrainInput,
    TrajectoryInput,
)
from faceplane_httpx.types import File, Response

client = AuthenticatedClient(base_url=SERVICE, token=KEY, raise_on_unexpected_status=True)
html = AuthenticatedClient(base_url=SERVICE, token=KEY, headers={"Accept": "text/html"})


def png(response: Response) -> bytes:
    """The PNG of a response, which the client gives as a file."""
    assert isinstance(response.parsed, File), response.content
    content: bytes = response.parsed.payload.read()
    assert is_png(content)
    return content


def numbers(response: Response) -> dict[str, Any]:
    """The JSON of an operation that has PNG as its first type: the client gives it as a file too."""
    assert response.status_code == HTTPStatus.OK, response.content
    content: dict[str, Any] = json.loads(response.content)
    return content


def sample_seven(metadata: Metadata) -> bytes:
    """An image of seed 7. With full metadata it carries its code, and takes no search to invert."""
    return png(sample_faces.sync_detailed(client=client, body=SampleInput(seed=7, metadata=metadata)))


def upload(content: bytes) -> File:
    return File(BytesIO(content), "face.png", "image/png")


def status_of(identifier: str) -> str:
    return str(get_job.sync(identifier, client=client).status)


@check
def the_service_lives_and_is_ready() -> None:
    assert check_liveness.sync(client=client)
    assert check_readiness.sync(client=client)


@check
def a_session_begins_and_ends() -> None:
    begun = begin_session.sync_detailed(client=client)
    assert begun.headers["Set-Cookie"].startswith("faceplane-session=")
    assert end_session.sync_detailed(client=client).status_code == HTTPStatus.NO_CONTENT


@check
def metrics_are_text() -> None:
    assert "faceplane_requests_total" in get_metrics.sync(client=client)


@check
def the_models_are_listed_and_described() -> None:
    assert [found.name for found in list_models.sync(client=client).models] == ["phantom", "portraits"]
    assert [space.name for space in get_model.sync("phantom", client=client).spaces] == [Space.Z, Space.W, Space.W_PLUS]


@check
def a_model_is_dropped_and_loaded_again_and_the_default_stays() -> None:
    assert drop_model.sync_detailed("portraits", client=client).status_code == HTTPStatus.NO_CONTENT
    assert load_model.sync_detailed("portraits", client=client).status_code == HTTPStatus.CREATED
    assert load_model.sync("portraits", client=client).name == "portraits"
    problem = drop_model.sync("phantom", client=client)
    assert isinstance(problem, ProblemDocument) and problem.type_ == "urn:faceplane:problem:default-model"


@check
def a_seed_alone_is_a_face_by_url_and_by_body() -> None:
    by_url = png(sample_faces_by_url.sync_detailed(client=client, seed=7))
    assert by_url == png(sample_faces.sync_detailed(client=client, body=SampleInput(seed=7)))


@check
def four_faces_have_four_seeds() -> None:
    body = SampleInput(seed=7, count=4, psi=0.7, format_=Format.JSON)
    answered = SampleResponse.from_dict(numbers(sample_faces.sync_detailed(client=client, body=body)))
    assert [face.seed for face in answered.faces] == [7, 8, 9, 10]


@check
def a_code_of_a_response_is_taken_back_in_each_space() -> None:
    # The phantom has no style space.
    for space in set(Space) - {Space.S}:
        body = SampleInput(seed=7, space=space, format_=Format.JSON)
        (face,) = SampleResponse.from_dict(numbers(sample_faces.sync_detailed(client=client, body=body))).faces
        png(sample_faces.sync_detailed(client=client, body=SampleInput(latent=face.latent)))


@check
def an_edit_is_another_image_by_url_and_by_body() -> None:
    by_url = png(edit_face_by_url.sync_detailed(client=client, seed=7, edit=["smile:3"]))
    assert by_url != sample_seven(Metadata.FULL)
    body = EditInput(seed=7, format_=Format.PNG, edits=[AttributeEdit(attribute="smile", by=3)])
    png(edit_face.sync_detailed(client=client, body=body))


@check
def a_score_is_reached_while_a_condition_is_held() -> None:
    edits = [AttributeEdit(attribute="smile", to_score=0.9)]
    body = EditInput(seed=7, conditions=["age"], edits=edits, format_=Format.JSON)
    search = EditResponse.from_dict(numbers(edit_face.sync_detailed(client=client, body=body))).score_search
    assert search.reached and abs(search.after - 0.9) <= 0.02
    assert search.conditions.additional_keys == ["age"]


@check
def a_trajectory_is_a_strip() -> None:
    trajectory = TrajectoryInput(start=-3, end=3, steps=3)
    body = EditInput(seed=7, edits=[AttributeEdit(attribute="age")], trajectory=trajectory, layout=Layout.STRIP)
    png(edit_face.sync_detailed(client=client, body=body))
    body.format_ = Format.JSON
    assert EditResponse.from_dict(numbers(edit_face.sync_detailed(client=client, body=body))).positions == [-3, 0, 3]


@check
def a_motion_between_faces_is_an_animation_by_url_and_by_body() -> None:
    png(interpolate_faces_by_url.sync_detailed(client=client, seeds="7,8", frames=3))
    face = FaceInput(image=b64encode(sample_seven(Metadata.FULL)).decode())
    body = InterpolateInput(faces=[face, FaceInput(seed=8)], frames=4, loop=True, format_=Format.JSON)
    moved = InterpolateResponse.from_dict(numbers(interpolate_faces.sync_detailed(client=client, body=body)))
    assert moved.positions == [0, 0.5, 1, 1.5]


@check
def styles_are_mixed_by_url_and_by_body() -> None:
    png(mix_faces_by_url.sync_detailed(client=client, rows=["7"], columns=["8", "9"], layers="0-1"))
    columns = [FaceInput(seed=8), FaceInput(seed=9)]
    body = MixInput(rows=[FaceInput(seed=7)], columns=columns, layers="0-1", format_=Format.JSON)
    mixed = MixResponse.from_dict(numbers(mix_faces.sync_detailed(client=client, body=body)))
    assert [len(cells) for cells in mixed.cells] == [2]


@check
def an_image_is_edited_as_a_form_as_the_body_and_as_json() -> None:
    sent = sample_seven(Metadata.FULL)
    png(edit_face.sync_detailed(client=client, body=EditForm(file=upload(sent), edit=["smile:3", "age:1"])))
    png(edit_face.sync_detailed(client=client, body=upload(sent), edit=["smile:3"]))
    body = EditInput(image=b64encode(sent).decode(), edits=[AttributeEdit(attribute="smile", by=3)])
    png(edit_face.sync_detailed(client=client, body=body))


@check
def a_conditional_edit_moves_along_a_direction_orthogonal_to_its_condition() -> None:
    conditions = ["eyeglasses"]
    png(
        edit_face_conditionally_by_url.sync_detailed(
            client=client, seed=7, space=Space.Z, edit=["age:3"], condition=conditions
        )
    )
    body = ConditionalEditInput(
        seed=7, edits=[AttributeEdit(attribute="age", by=3)], conditions=conditions, format_=Format.JSON
    )
    (direction,) = EditResponse.from_dict(
        numbers(edit_face_conditionally.sync_detailed(client=client, body=body))
    ).directions
    assert abs(direction.cosines["eyeglasses"]) < 1e-6


@check
def an_image_is_inverted_as_a_form_and_as_json() -> None:
    sent = sample_seven(Metadata.NONE)
    encoder = InversionMethod.ENCODER
    png(invert_image.sync_detailed(client=client, body=InvertForm(file=upload(sent), method=encoder)))
    body = InvertInput(image=b64encode(sent).decode(), method=InversionMethod.REFINE, steps=2, format_=Format.JSON)
    inverted = InvertResponse.from_dict(numbers(invert_image.sync_detailed(client=client, body=body)))
    assert inverted.psnr > 10
    assert inverted.face.latent.space == Space.W


@check
def an_image_is_inverted_in_the_background() -> None:
    body = InvertInput(image=b64encode(sample_seven(Metadata.NONE)).decode(), method=InversionMethod.ENCODER)
    inversion = start_inversion.sync(client=client, body=body)
    assert ended(lambda: get_inversion.sync(inversion.id, client=client).status) == InversionStatus.DONE
    assert get_inversion.sync(inversion.id, client=client).result.face.latent.space == Space.W
    assert cancel_inversion.sync(inversion.id, client=client).status == InversionStatus.DONE


@check
def a_face_is_scored() -> None:
    by_url = score_face_by_url.sync(client=client, seed=7)
    assert by_url == score_face.sync(client=client, body=ScoreInput(seed=7))
    assert "smile" in [found.attribute for found in by_url.scores]
    assert isinstance(by_url.distances["smile"], float)


@check
def a_boundary_is_trained() -> None:
    body = TrainInput(attributes=["smile"], space=Space.W, samples=200, ratio=0.2)
    identifier = train_boundaries.sync("phantom", client=client, body=body).id
    assert ended(lambda: status_of(identifier)) == "done"
    assert identifier in [found.id for found in list_jobs.sync(client=client).jobs]
    samples = get_samples.sync(identifier, client=client)
    assert isinstance(samples, File) and samples.payload.read(2) == b"PK"
    again = TrainInput(attributes=["smile"], names=["smile-2"], samples_from=identifier, keep=KeepRule.BETTER)
    identifier = train_boundaries.sync("phantom", client=client, body=again).id
    assert ended(lambda: status_of(identifier)) == "done"
    (comparison,) = get_job.sync(identifier, client=client).comparisons
    assert (comparison.attribute, comparison.kept) == ("smile-2", KeptBoundary.NEW)


@check
def directions_are_found() -> None:
    body = DirectionsInput(method=DirectionMethod.PCA, count=2, samples=1000)
    identifier = find_directions.sync("phantom", client=client, body=body).id
    assert ended(lambda: status_of(identifier)) == "done"
    assert get_boundary.sync("phantom", "pca-1", Space.W, client=client).attribute == "pca-1"


@check
def a_boundary_is_listed_fetched_sent_and_removed() -> None:
    listed = list_boundaries.sync("phantom", client=client).boundaries
    assert ("smile", Space.W) in [(found.attribute, found.space) for found in listed]
    fetched = get_boundary.sync("phantom", "smile", Space.W, client=client)
    assert isinstance(fetched, BoundaryDocument) and len(fetched.normal) == 64
    assert put_boundary.sync("phantom", "smile", Space.W, client=client, body=fetched).boundary.attribute == "smile"
    assert delete_boundary.sync("phantom", "smile", Space.W, client=client).restored
    original = get_boundary.sync("phantom", "smile", Space.W, client=client, version=BoundaryVersion.ORIGINAL)
    assert isinstance(original, BoundaryDocument) and len(original.normal) == 64


@check
def a_report_is_json_and_a_page() -> None:
    body = ReportInput(seed=1, samples=50, faces=1)
    identifier = start_report.sync("phantom", client=client, body=body).id
    assert ended(lambda: status_of(identifier)) == "done"
    assert get_report.sync(identifier, client=client).samples == 50
    # The generated function parses every response as JSON, so its HTTP client fetches the page.
    page = html.get_httpx_client().get(f"/v1/jobs/{identifier}/report")
    assert page.text.lower().startswith("<!doctype html>")


@check
def a_job_is_cancelled() -> None:
    identifier = start_report.sync("phantom", client=client, body=ReportInput(samples=5000)).id
    cancel_job.sync(identifier, client=client)
    assert ended(lambda: status_of(identifier)) == "cancelled"


@check
def an_error_is_a_typed_problem() -> None:
    problem = sample_faces_by_url.sync(client=client, model="none")
    assert isinstance(problem, ProblemDocument)
    assert problem.status == HTTPStatus.NOT_FOUND
    assert problem.type_.startswith("urn:faceplane:problem:")


run()
