"""Calls every operation by the Python client of openapi-generator."""

from base64 import b64encode
from http import HTTPStatus

from checks import KEY, SERVICE, check, ended, is_png, run
from faceplane_urllib3 import (
    ApiClient,
    AttributeEdit,
    BoundariesApi,
    BoundaryVersion,
    ConditionalEditInput,
    Configuration,
    DirectionMethod,
    DirectionsInput,
    EditInput,
    EditResponse,
    FaceInput,
    FacesApi,
    Format,
    HealthApi,
    InterpolateInput,
    InterpolateResponse,
    InversionMethod,
    InversionsApi,
    InversionStatus,
    InvertInput,
    InvertResponse,
    JobsApi,
    KeepRule,
    KeptBoundary,
    Layout,
    Metadata,
    MixInput,
    MixResponse,
    ModelsApi,
    ProblemDocument,
    ReportInput,
    SampleInput,
    SampleResponse,
    ScoreInput,
    SessionApi,
    Space,
    TrainInput,
    TrajectoryInput,
)
from faceplane_urllib3.exceptions import ConflictException, NotFoundException

client = ApiClient(Configuration(host=SERVICE, access_token=KEY))
faces, boundaries, jobs = FacesApi(client), BoundariesApi(client), JobsApi(client)
inversions = InversionsApi(client)
health, models, session = HealthApi(client), ModelsApi(client), SessionApi(client)

# If an operation has JSON responses, the client asks for JSON. Requests for an image therefore name the format.
PNG = Format.PNG


def png(content: bytes) -> bytes:
    assert is_png(content)
    return content


def sample_seven(metadata: Metadata) -> bytes:
    """An image of seed 7. With full metadata it carries its code, and takes no search to invert."""
    return png(faces.sample_faces(SampleInput(seed=7, metadata=metadata, format=PNG)))


def status_of(identifier: str) -> str:
    return str(jobs.get_job(identifier).status.value)


@check
def the_service_lives_and_is_ready() -> None:
    assert health.check_liveness()
    assert health.check_readiness()


@check
def a_session_begins_and_ends() -> None:
    begun = session.begin_session_with_http_info()
    # The client gives the headers as a dictionary, with their names as they came: in lower case.
    assert begun.headers is not None and begun.headers["set-cookie"].startswith("faceplane-session=")
    assert session.end_session_with_http_info().status_code == HTTPStatus.NO_CONTENT


@check
def metrics_are_text() -> None:
    # The client decodes text/plain and JSON only, so the check reads the undecoded response.
    assert b"faceplane_requests_total" in health.get_metrics_without_preload_content().data


@check
def the_models_are_listed_and_described() -> None:
    assert [found.name for found in models.list_models().models] == ["phantom", "portraits"]
    assert [space.name for space in models.get_model("phantom").spaces] == [Space.Z, Space.W, Space.W_PLUS]


@check
def a_model_is_dropped_and_loaded_again_and_the_default_stays() -> None:
    assert models.drop_model_with_http_info("portraits").status_code == HTTPStatus.NO_CONTENT
    assert models.load_model_with_http_info("portraits").status_code == HTTPStatus.CREATED
    assert models.load_model("portraits").name == "portraits"
    try:
        models.drop_model("phantom")
    except ConflictException as error:
        assert isinstance(error.data, ProblemDocument)
        assert error.data.type == "urn:faceplane:problem:default-model"
    else:
        raise AssertionError("the default model was dropped")


@check
def a_seed_alone_is_a_face_by_url_and_by_body() -> None:
    by_url = png(faces.sample_faces_by_url(seed=7, format=PNG))
    assert by_url == png(faces.sample_faces(SampleInput(seed=7), _headers={"Accept": "image/png"}))


@check
def four_faces_have_four_seeds() -> None:
    response = SampleResponse.from_json(faces.sample_faces(SampleInput(seed=7, count=4, psi=0.7)))
    assert [face.seed for face in response.faces] == [7, 8, 9, 10]


@check
def a_code_of_a_response_is_taken_back_in_each_space() -> None:
    # The phantom has no style space.
    for space in set(Space) - {Space.S}:
        (face,) = SampleResponse.from_json(faces.sample_faces(SampleInput(seed=7, space=space))).faces
        png(faces.sample_faces(SampleInput(latent=face.latent, format=PNG)))


@check
def an_edit_is_another_image_by_url_and_by_body() -> None:
    by_url = png(faces.edit_face_by_url(seed=7, edit=["smile:3"], format=PNG))
    assert by_url != sample_seven(Metadata.FULL)
    edits = [AttributeEdit(attribute="smile", by=3)]
    png(faces.edit_face(EditInput(seed=7, format=PNG, edits=edits)))


@check
def a_score_is_reached_while_a_condition_is_held() -> None:
    edits = [AttributeEdit(attribute="smile", to_score=0.9)]
    search = EditResponse.from_json(faces.edit_face(EditInput(seed=7, conditions=["age"], edits=edits))).score_search
    assert search.reached and abs(search.after - 0.9) <= 0.02
    assert list(search.conditions) == ["age"]


@check
def a_trajectory_is_a_strip() -> None:
    trajectory = TrajectoryInput(start=-3, end=3, steps=3)
    body = EditInput(seed=7, edits=[AttributeEdit(attribute="age")], trajectory=trajectory, layout=Layout.STRIP)
    assert EditResponse.from_json(faces.edit_face(body)).positions == [-3, 0, 3]
    body.format = PNG
    png(faces.edit_face(body))


@check
def a_motion_between_faces_is_an_animation_by_url_and_by_body() -> None:
    png(faces.interpolate_faces_by_url(seeds="7,8", frames=3, format=PNG))
    face = FaceInput(image=b64encode(sample_seven(Metadata.FULL)).decode())
    body = InterpolateInput(faces=[face, FaceInput(seed=8)], frames=4, loop=True)
    assert InterpolateResponse.from_json(faces.interpolate_faces(body)).positions == [0, 0.5, 1, 1.5]


@check
def styles_are_mixed_by_url_and_by_body() -> None:
    png(faces.mix_faces_by_url(rows=["7"], columns=["8", "9"], layers="0-1", format=PNG))
    columns = [FaceInput(seed=8), FaceInput(seed=9)]
    body = MixInput(rows=[FaceInput(seed=7)], columns=columns, layers="0-1")
    assert [len(cells) for cells in MixResponse.from_json(faces.mix_faces(body)).cells] == [2]


@check
def an_image_is_edited() -> None:
    image = b64encode(sample_seven(Metadata.FULL)).decode()
    png(faces.edit_face(EditInput(image=image, edits=[AttributeEdit(attribute="smile", by=3)], format=PNG)))


@check
def a_conditional_edit_moves_along_a_direction_orthogonal_to_its_condition() -> None:
    conditions = ["eyeglasses"]
    options = {"seed": 7, "space": Space.Z, "condition": conditions, "format": PNG}
    png(faces.edit_face_conditionally_by_url(edit=["age:3"], **options))
    body = ConditionalEditInput(seed=7, edits=[AttributeEdit(attribute="age", by=3)], conditions=conditions)
    (direction,) = EditResponse.from_json(faces.edit_face_conditionally(body)).directions
    assert abs(direction.cosines["eyeglasses"]) < 1e-6


@check
def an_image_is_inverted() -> None:
    image = b64encode(sample_seven(Metadata.NONE)).decode()
    png(faces.invert_image(InvertInput(image=image, method=InversionMethod.ENCODER, format=PNG)))
    response = InvertResponse.from_json(
        faces.invert_image(InvertInput(image=image, method=InversionMethod.REFINE, steps=2))
    )
    assert response.psnr > 10
    assert response.face.latent.space == Space.W


@check
def an_image_is_inverted_in_the_background() -> None:
    image = b64encode(sample_seven(Metadata.NONE)).decode()
    inversion = inversions.start_inversion(InvertInput(image=image, method=InversionMethod.ENCODER))
    assert ended(lambda: inversions.get_inversion(inversion.id).status) == InversionStatus.DONE
    assert inversions.get_inversion(inversion.id).result.face.latent.space == Space.W
    assert inversions.cancel_inversion(inversion.id).status == InversionStatus.DONE


@check
def a_face_is_scored() -> None:
    by_url = faces.score_face_by_url(seed=7)
    assert by_url == faces.score_face(ScoreInput(seed=7))
    assert "smile" in [found.attribute for found in by_url.scores]
    assert isinstance(by_url.distances["smile"], float)


@check
def a_boundary_is_trained() -> None:
    body = TrainInput(attributes=["smile"], space=Space.W, samples=200, ratio=0.2)
    identifier = boundaries.train_boundaries("phantom", body).id
    assert ended(lambda: status_of(identifier)) == "done"
    assert identifier in [found.id for found in jobs.list_jobs().jobs]
    assert jobs.get_samples(identifier)[:2] == b"PK"
    again = TrainInput(attributes=["smile"], names=["smile-2"], samples_from=identifier, keep=KeepRule.BETTER)
    identifier = boundaries.train_boundaries("phantom", again).id
    assert ended(lambda: status_of(identifier)) == "done"
    (comparison,) = jobs.get_job(identifier).comparisons
    assert (comparison.attribute, comparison.kept) == ("smile-2", KeptBoundary.NEW)


@check
def directions_are_found() -> None:
    identifier = boundaries.find_directions(
        "phantom", DirectionsInput(method=DirectionMethod.PCA, count=2, samples=1000)
    ).id
    assert ended(lambda: status_of(identifier)) == "done"
    assert boundaries.get_boundary("phantom", "pca-1", Space.W).attribute == "pca-1"


@check
def a_boundary_is_listed_fetched_sent_and_removed() -> None:
    listed = boundaries.list_boundaries("phantom").boundaries
    assert ("smile", Space.W) in [(found.attribute, found.space) for found in listed]
    fetched = boundaries.get_boundary("phantom", "smile", Space.W)
    assert len(fetched.normal) == 64
    assert boundaries.put_boundary("phantom", "smile", Space.W, fetched).boundary.attribute == "smile"
    assert boundaries.delete_boundary("phantom", "smile", Space.W).restored
    original = boundaries.get_boundary("phantom", "smile", Space.W, version=BoundaryVersion.ORIGINAL)
    assert len(original.normal) == 64


@check
def a_report_is_json_and_a_page() -> None:
    identifier = boundaries.start_report("phantom", ReportInput(seed=1, samples=50, faces=1)).id
    assert ended(lambda: status_of(identifier)) == "done"
    assert jobs.get_report(identifier).samples == 50
    page = jobs.get_report_without_preload_content(identifier, _headers={"Accept": "text/html"})
    assert page.data.lower().startswith(b"<!doctype html>")


@check
def a_job_is_cancelled() -> None:
    identifier = boundaries.start_report("phantom", ReportInput(samples=5000)).id
    jobs.cancel_job(identifier)
    assert ended(lambda: status_of(identifier)) == "cancelled"


@check
def an_error_is_a_typed_problem() -> None:
    try:
        faces.sample_faces_by_url(model="none")
        raise AssertionError("the model does not exist")
    except NotFoundException as error:
        assert isinstance(error.data, ProblemDocument)
        assert error.data.status == HTTPStatus.NOT_FOUND
        assert error.data.type.startswith("urn:faceplane:problem:")


run()
