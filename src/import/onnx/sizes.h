/* import/onnx/sizes.h: the shapes that Flatten, Reshape, Squeeze, Unsqueeze, Transpose and Shape stand for, batch included: the same for
 * constants and variables. All give false and a diagnostic where the node makes no sense. */
#ifndef KAON_IMPORT_ONNX_SIZES_H
#define KAON_IMPORT_ONNX_SIZES_H

#include "import/onnx/onnx.h"

bool onnx_sizes_flatten(OnnxNode *node, OnnxDims from, OnnxDims *to);
bool onnx_sizes_reshape(OnnxNode *node, OnnxDims from, OnnxDims *to);
bool onnx_sizes_squeeze(OnnxNode *node, OnnxDims from, OnnxDims *to);
bool onnx_sizes_unsqueeze(OnnxNode *node, OnnxDims from, OnnxDims *to);
bool onnx_sizes_permutation(OnnxNode *node, uint32_t rank, uint32_t *permutation);
const OnnxConstant *onnx_sizes_as_constant(OnnxNode *node, OnnxDims dims); /* what Shape gives */

#endif
