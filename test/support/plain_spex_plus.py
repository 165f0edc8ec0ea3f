"""SpEx+ written down line by line, one operation of the paper after the other: slow on purpose.

What the networks of the package compute, in the order in which the paper prints it and with nothing clever: the
embedding is repeated over the frames and concatenated, the normalisation is a mean, a difference, a square and a
mean, every scale is always decoded. The tests hold the fast networks against it, and so does the benchmark.

Source: Ge et al., "SpEx+: A complete time domain speaker extraction network", Interspeech 2020.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PlainGlobalNorm(nn.Module):
    """gLN: mean and variance over channels and frames, eps 1e-5."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:  # (B, C, L)
        mean = x.mean(dim=(1, 2), keepdim=True)
        variance = ((x - mean) ** 2).mean(dim=(1, 2), keepdim=True)
        return self.weight[:, None] * (x - mean) / torch.sqrt(variance + 1e-5) + self.bias[:, None]


class PlainChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of each frame."""

    def forward(self, x: Tensor) -> Tensor:  # (B, C, L)
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class PlainTcnBlock(nn.Module):
    """Conv1x1, PReLU, gLN, dilated depthwise convolution, PReLU, gLN, Conv1x1; added to its input.

    With ``embedding_dim`` the repeated embedding is concatenated to the input first.
    """

    def __init__(self, bottleneck: int, hidden: int, kernel_size: int, dilation: int, embedding_dim: int = 0):
        super().__init__()
        self.conv_in = nn.Conv1d(bottleneck + embedding_dim, hidden, 1)
        self.prelu_in = nn.PReLU()
        self.norm_in = PlainGlobalNorm(hidden)
        padding = dilation * (kernel_size - 1) // 2
        self.depthwise = nn.Conv1d(hidden, hidden, kernel_size, dilation=dilation, padding=padding, groups=hidden)
        self.prelu_out = nn.PReLU()
        self.norm_out = PlainGlobalNorm(hidden)
        self.conv_out = nn.Conv1d(hidden, bottleneck, 1)

    def forward(self, x: Tensor, embedding: Tensor | None = None) -> Tensor:  # (B, C, L), (B, D)
        y = x
        if embedding is not None:
            y = torch.cat([x, embedding[:, :, None].expand(-1, -1, x.shape[2])], dim=1)
        y = self.norm_in(self.prelu_in(self.conv_in(y)))
        y = self.norm_out(self.prelu_out(self.depthwise(y)))
        return x + self.conv_out(y)


class PlainResBlock(nn.Module):
    """Conv1x1, BN, PReLU, Conv1x1, BN, plus skip; PReLU; MaxPool1d(3)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv1 = nn.Conv1d(in_channels, out_channels, 1, bias=False)
        self.norm1 = nn.BatchNorm1d(out_channels)
        self.prelu1 = nn.PReLU()
        self.conv2 = nn.Conv1d(out_channels, out_channels, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(out_channels)
        self.prelu2 = nn.PReLU()
        self.skip = nn.Conv1d(in_channels, out_channels, 1, bias=False) if in_channels != out_channels else None

    def forward(self, x: Tensor) -> Tensor:  # (B, C, L) -> (B, C', L // 3)
        y = self.norm2(self.conv2(self.prelu1(self.norm1(self.conv1(x)))))
        y = y + (x if self.skip is None else self.skip(x))
        return F.max_pool1d(self.prelu2(y), 3)


class PlainSpexPlus(nn.Module):
    """SpEx+ of the paper's size; options as in the package's network."""

    def __init__(
        self,
        num_speakers: int,
        num_filters: int = 256,
        kernel_sizes: tuple[int, int, int] = (20, 80, 160),
        stride: int = 10,
        bottleneck: int = 256,
        hidden: int = 512,
        kernel_size: int = 3,
        num_blocks: int = 8,
        num_stacks: int = 4,
        embedding_dim: int = 256,
    ):
        super().__init__()
        self.kernel_sizes, self.stride = kernel_sizes, stride
        n = num_filters
        self.encoders = nn.ModuleList(nn.Conv1d(1, n, k, stride) for k in kernel_sizes)
        self.mixture_norm = PlainChannelNorm(3 * n)
        self.mixture_projection = nn.Conv1d(3 * n, bottleneck, 1)
        self.speaker_norm = PlainChannelNorm(3 * n)
        self.speaker_projection = nn.Conv1d(3 * n, bottleneck, 1)
        self.res_blocks = nn.ModuleList(
            [PlainResBlock(bottleneck, bottleneck), PlainResBlock(bottleneck, hidden), PlainResBlock(hidden, hidden)]
        )
        self.embedding = nn.Conv1d(hidden, embedding_dim, 1)
        self.classifier = nn.Linear(embedding_dim, num_speakers)
        self.blocks = nn.ModuleList(
            PlainTcnBlock(bottleneck, hidden, kernel_size, 2**x, embedding_dim if x == 0 else 0)
            for _ in range(num_stacks)
            for x in range(num_blocks)
        )
        self.num_blocks = num_blocks
        self.masks = nn.ModuleList(nn.Conv1d(bottleneck, n, 1) for _ in kernel_sizes)
        self.decoders = nn.ModuleList(nn.ConvTranspose1d(n, 1, k, stride) for k in kernel_sizes)

    def encode(self, signal: Tensor) -> list[Tensor]:  # (B, T) -> three (B, N, L)
        short = self.kernel_sizes[0]
        if signal.shape[1] < short:
            signal = F.pad(signal, (0, short - signal.shape[1]))
        frames = (signal.shape[1] - short) // self.stride + 1
        encodings = []
        for encoder, kernel in zip(self.encoders, self.kernel_sizes, strict=True):
            needed = (frames - 1) * self.stride + kernel
            padded = F.pad(signal, (0, max(0, needed - signal.shape[1])))
            encodings.append(F.relu(encoder(padded[:, None])))
        return encodings

    def embed(self, enrollment: Tensor) -> Tensor:  # (B, U) -> (B, D)
        y = self.speaker_projection(self.speaker_norm(torch.cat(self.encode(enrollment), dim=1)))
        for block in self.res_blocks:
            y = block(y)
        return self.embedding(y).mean(dim=2)

    def forward(self, mixture: Tensor, enrollment: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T), (B, U) -> estimates (B, 3, T), speaker scores (B, K), embedding (B, D)."""
        embedding = self.embed(enrollment)
        encodings = self.encode(mixture)
        y = self.mixture_projection(self.mixture_norm(torch.cat(encodings, dim=1)))
        for i, block in enumerate(self.blocks):
            y = block(y, embedding if i % self.num_blocks == 0 else None)
        estimates = []
        for encoding, mask, decoder in zip(encodings, self.masks, self.decoders, strict=True):
            decoded = decoder(encoding * F.relu(mask(y)))[:, 0]
            samples = mixture.shape[1]
            estimates.append(F.pad(decoded, (0, max(0, samples - decoded.shape[1])))[:, :samples])
        return torch.stack(estimates, dim=1), self.classifier(embedding), embedding
