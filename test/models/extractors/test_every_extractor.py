"""What every file under models/extractors/ must do in each of its small settings: a new one is tested by itself.

The contract is models/extractor_contract.py; the settings are the ``SMALL`` of each file, a name for each kind.
"""

import pytest
import torch

from zspex_toolkit.errors import AudioError, UserError
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.models.extractor_contract import ExtractorOutput, made_up_clue
from zspex_toolkit.registry import available, load, load_module

SECOND = 8000


def small(kind):
    """A network of a few thousand parameters for three speakers, the same at every call."""
    torch.manual_seed(0)
    name, settings = kind
    options = load_module("models.extractors", name).SMALL[settings]
    return load("models.extractors", name)(num_speakers=3, **options)


NAMES = available("models.extractors")
KINDS = [(name, kind) for name in NAMES for kind in load_module("models.extractors", name).SMALL]
EVERY = pytest.mark.parametrize("kind", KINDS, ids="-".join)
HEARING = pytest.mark.parametrize("kind", [kind for kind in KINDS if not small(kind).clue_dim], ids="-".join)
TOLD = pytest.mark.parametrize("kind", [kind for kind in KINDS if small(kind).clue_dim], ids="-".join)
CAUSAL = pytest.mark.parametrize("kind", [k for k in KINDS if small(k).latency_samples is not None], ids="-".join)


def noise(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def clues(network, rows=2, num_samples=SECOND, seed=2):
    """Clues that differ from row to row."""
    if network.clue_dim:
        return Clue(noise(rows, network.clue_dim, seed=seed))
    return network.clue(noise(rows, num_samples, seed=seed))


def tensors(clue):
    return [part for part in (clue.embedding, clue.frames, clue.num_frames) if part is not None]


def assert_same_clue(actual, expected):
    """Equal but for padding."""
    assert len(actual) == len(expected)
    for row in range(len(expected)):
        for ours, theirs in zip(tensors(trimmed(actual[row])), tensors(trimmed(expected[row])), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def trimmed(clue):
    if clue.frames is None:
        return clue
    return Clue(clue.embedding, clue.frames[..., : int(clue.num_frames.max())], clue.num_frames)


def assert_near(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max().clamp(min=1)))


@EVERY
@torch.no_grad()
def test_the_output_has_the_length_of_the_mixture_and_what_the_network_says(kind):
    network = small(kind).eval()
    clue = clues(network)
    for num_samples in (1, 2, 4, 5, 151, 1003):
        output = network(noise(2, num_samples), clue)
        assert isinstance(output, ExtractorOutput)
        assert output.estimates.shape == (2, network.num_estimates, num_samples)
        assert output.estimates.isfinite().all() and output.estimates.dtype == torch.float32
        if network.num_speakers is None:
            assert output.speaker_scores is None and network.classify(clue) is None
        else:
            assert output.speaker_scores.shape == (2, network.num_speakers) == (2, 3)
            torch.testing.assert_close(network.classify(clue), output.speaker_scores)


@EVERY
@torch.no_grad()
def test_extract_gives_the_first_estimate(kind):
    network = small(kind).eval()
    mixture, clue = noise(2, 501), clues(network)
    torch.testing.assert_close(network.extract(mixture, clue), network(mixture, clue).estimates[:, 0])


@EVERY
@torch.no_grad()
def test_a_batch_gives_what_its_trials_give_alone(kind):
    network = small(kind).eval()
    mixture, clue = noise(3, 501), clues(network, 3)
    together = network(mixture, clue)
    for row in range(3):
        alone = network(mixture[row : row + 1], clue[row])
        for batched, single in zip(together, alone, strict=True):
            if single is not None:
                torch.testing.assert_close(batched[row : row + 1], single, rtol=1e-4, atol=1e-5)


@EVERY
@torch.no_grad()
def test_several_clues_of_a_mixture_give_what_they_give_one_by_one(kind):
    network = small(kind).eval()
    mixture, clue = noise(2, 501), clues(network, 6)
    output, extracted = network(mixture, clue), network.extract(mixture, clue)
    assert output.estimates.shape == (6, network.num_estimates, 501)
    for row in range(6):  # row r asks of mixture r % M
        alone = network(mixture[row % 2 : row % 2 + 1], clue[row])
        torch.testing.assert_close(output.estimates[row : row + 1], alone.estimates, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(extracted[row : row + 1], alone.estimates[:, 0], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="expected as many clues for each of 2 mixtures, got 3 in all"):
        network.extract(mixture, clue[:3])


@HEARING
@torch.no_grad()
def test_what_an_enrollment_is_padded_with_changes_nothing(kind):
    network = small(kind).eval()
    lengths = [network.min_enrollment_samples, network.min_enrollment_samples + 37]
    enrollment = noise(2, lengths[1] + 77)
    enrollment[0, lengths[0] :] = enrollment[1, lengths[1] :] = 9.0
    together = network.clue(enrollment, torch.tensor(lengths))
    alone = [network.clue(enrollment[[row], :length]) for row, length in enumerate(lengths)]
    assert_same_clue(together, Clue.cat(alone))
    mixture = noise(2, 301)
    expected = torch.cat([network.extract(mixture[[row]], one) for row, one in enumerate(alone)])
    assert_near(network.extract(mixture, together), expected)


@HEARING
def test_what_an_enrollment_is_padded_with_changes_nothing_in_training(kind):
    lengths = torch.tensor([2000, 1500])
    narrow = noise(2, 2000)
    wide = torch.cat([narrow, torch.full((2, 77), 9.0)], 1)
    pair = [small(kind).train() for _ in range(2)]
    outputs = [
        network(noise(2, 301, seed=3), network.clue(one, lengths))
        for network, one in zip(pair, (narrow, wide), strict=True)
    ]
    for ours, theirs in zip(*outputs, strict=True):
        if ours is not None:
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@TOLD
def test_a_network_that_is_told_by_embeddings_makes_no_clue_of_recordings(kind):
    with pytest.raises(UserError, match=f"embeddings of {small(kind).clue_dim} numbers"):
        small(kind).clue(torch.zeros(1, SECOND))


@HEARING
def test_an_enrollment_that_is_too_short_is_one_line(kind):
    network = small(kind).eval()
    assert network.clue(noise(1, network.min_enrollment_samples)) is not None
    with pytest.raises(AudioError, match=f"enrollment: expected at least {network.min_enrollment_samples} samples"):
        network.clue(noise(1, network.min_enrollment_samples - 1))


@HEARING
@torch.no_grad()
def test_half_a_second_and_a_minute_of_enrollment_will_do(kind):
    network = small(kind).eval()
    half, minute = noise(1, SECOND // 2), noise(1, 60 * SECOND, seed=5)
    for enrollment in (half, minute):
        assert network.extract(noise(1, 301), network.clue(enrollment)).isfinite().all()


@EVERY
@torch.no_grad()
def test_clues_of_several_recordings_join(kind):
    network = small(kind).eval()
    one, other = clues(network, 2, seed=2), clues(network, 2, num_samples=3000, seed=3)
    joined = network.join([one, other])
    assert len(joined) == 2
    mixture = noise(2, 301)
    output = network.extract(mixture, joined)
    assert output.isfinite().all()
    for row in range(2):  # of each speaker for itself
        assert_near(output[[row]], network.extract(mixture[[row]], network.join([one[row], other[row]])))
    assert_near(network.extract(mixture, network.join([one])), network.extract(mixture, one))
    assert_near(network.extract(mixture, network.join([one, other], [2.0, 1.0])).isfinite().float(), torch.ones(2, 301))


@EVERY
@torch.no_grad()
def test_a_clue_from_a_file_gives_the_same_output(kind, tmp_path):
    network = small(kind).eval()
    clue = clues(network)
    clue.save(tmp_path / "people.clue", made_by="it")
    again, made_by = Clue.load(tmp_path / "people.clue")
    assert made_by == "it"
    for name, tensor in vars(clue).items():
        assert tensor is None or torch.equal(getattr(again, name), tensor)
    assert_near(network.extract(noise(2, 301), again), network.extract(noise(2, 301), clue))


@EVERY
def test_a_gradient_reaches_every_parameter(kind):
    network = small(kind).train()
    optimizer = torch.optim.SGD(network.parameters(), 1e-3)
    for _ in range(2):  # at the first step a layer that starts at zero hides what is before it
        optimizer.zero_grad()
        enrollment = noise(4, 4000, seed=2)  # long: a maximum hides what is negative
        clue = clues(network, 4)
        if not network.clue_dim:
            clue = network.clue(enrollment, torch.tensor([4000, 3000, 3500, 4000]))
        output = network(noise(2, 1501), clue)
        loss = output.estimates.square().mean()
        if output.speaker_scores is not None:
            loss = loss + output.speaker_scores.logsumexp(1).sum()
        if output.blind is not None:
            loss = loss + output.blind.square().mean()
        loss.backward()
        optimizer.step()
    without = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert without == []


@EVERY
def test_its_state_is_all_there_is_to_it(kind):
    network, other = small(kind), small(kind)
    network.train()(noise(2, 501), clues(network))  # batch statistics
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    other.load_state_dict(network.state_dict())
    outputs = [one.eval()(noise(2, 501), clues(one.eval())) for one in (network, other)]
    for ours, theirs in zip(*outputs, strict=True):
        assert ours is theirs is None or torch.equal(ours, theirs)


@EVERY
def test_half_precision_is_finite_and_near(kind):
    network = small(kind).eval()
    mixture = noise(2, 2000)
    exact = network(mixture, clues(network))
    with torch.autocast("cpu", torch.bfloat16):
        output = network(mixture, clues(network))
        loss = output.estimates.square().sum()
        if output.speaker_scores is not None:
            loss = loss + output.speaker_scores.float().logsumexp(1).sum()
        if output.blind is not None:
            loss = loss + output.blind.square().sum()
        loss.backward()
    assert output.estimates.dtype == torch.float32
    error = (output.estimates - exact.estimates).square().sum() / exact.estimates.square().sum()
    assert error < 1e-2  # -20 dB
    assert all(torch.isfinite(value.grad).all() for value in network.parameters())


@EVERY
@torch.no_grad()
def test_how_alike_speech_and_clue_are_is_a_number_or_unknown(kind):
    network = small(kind).eval()
    speech = noise(2, SECOND)
    clue = made_up_clue(network, speech)
    found = network.likeness(speech, clue)
    assert found.shape == (2,) and (found.isnan() | (found.abs() <= 1 + 1e-5)).all()
    if not found.isnan().any():
        assert (found > network.likeness(speech, clue[[1, 0]])).all()  # its own clue is the most alike
    assert network.likeness(speech[:, :1], clue).shape == (2,)  # too short to tell


@CAUSAL
@torch.no_grad()
@pytest.mark.parametrize("num_samples", [1, 3, 5, 101, 1003])
def test_a_stream_gives_what_the_whole_mixture_gives(kind, num_samples):
    network = small(kind).eval()
    for parameter in network.parameters():  # gains of 1 and shifts of 0 would hide a part that is left out
        torch.nn.init.normal_(parameter, parameter.detach().mean(), 0.3)
    mixture, clue = noise(2, num_samples), clues(network, 4)
    offline = network.extract(mixture, clue)
    for size in (7, num_samples):
        stream = network.stream(clue)
        streamed = torch.cat([stream.push(chunk) for chunk in mixture.split(size, 1)] + [stream.finish()], 1)
        torch.testing.assert_close(streamed, offline, rtol=1e-5, atol=1e-5 * float(offline.abs().max().clamp(min=1)))


@CAUSAL
@torch.no_grad()
def test_a_causal_network_does_not_look_behind_its_latency(kind):
    network = small(kind).eval()
    mixture, clue = noise(1, 900), clues(network, 1)
    changed = mixture.clone()
    changed[:, 700:] += 1
    difference = (network.extract(changed, clue) - network.extract(mixture, clue)).abs()[0]
    assert difference[: 700 - network.latency_samples].max() == 0 and difference[700:].max() > 0


@EVERY
@torch.no_grad()
def test_what_it_costs_can_be_said(kind):
    network = small(kind).eval()
    assert network.context_samples >= 0 and network.min_enrollment_samples >= 1
    assert network.latency_samples is None or network.latency_samples >= 0


@EVERY
def test_a_few_steps_on_a_toy_problem_lower_the_loss(kind):
    """Two tones sound; the clue is of the one that is meant, and tells the two targets of one mixture apart."""
    network = small(kind).train()
    time = torch.arange(2000) / 2000
    tones = torch.stack([torch.sin(2 * torch.pi * hertz * time) for hertz in (100, 450)])
    given = noise(2, network.clue_dim)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        clue = Clue(given) if network.clue_dim else network.clue(tones)
        output = network(tones.sum(0)[None], clue)  # one mixture, two clues
        loss = error = (output.estimates - tones[:, None]).square().mean()
        if output.speaker_scores is not None:
            loss = error + 0.1 * torch.nn.functional.cross_entropy(output.speaker_scores, torch.arange(2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(error.detach()))
    assert losses[-1] < 0.2 and losses[-1] < 0.9 * losses[0]  # one output for both tones is 0.25 away at least
