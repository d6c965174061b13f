// FANN on a chain of tanh units, row by row: fann ROWS_FILE ROWS LAYERS EPOCHS LEARNING_RATE
// The file has x and y of each row, as float32.
#include <floatfann.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char** arguments) {
    if (count != 6) return 1;
    const int rows = atoi(arguments[2]), layers = atoi(arguments[3]), epochs = atoi(arguments[4]);
    fann_type* xy = malloc(sizeof(fann_type) * 2 * rows);
    unsigned int* widths = malloc(sizeof(unsigned int) * (layers + 1));
    FILE* file = fopen(arguments[1], "rb");
    if (!file || fread(xy, 2 * sizeof(fann_type), rows, file) != (size_t)rows) return 2;
    for (int i = 0; i <= layers; i++) widths[i] = 1;
    struct fann* net = fann_create_standard_array(layers + 1, widths);
    fann_set_activation_function_hidden(net, FANN_SIGMOID_SYMMETRIC);
    fann_set_activation_function_output(net, FANN_SIGMOID_SYMMETRIC);
    fann_set_activation_steepness_hidden(net, 1.0f);
    fann_set_activation_steepness_output(net, 1.0f);
    fann_set_learning_rate(net, 2.0f * atof(arguments[5]));  // FANN's error is half the square
    fann_randomize_weights(net, -1.7f, 1.7f);                // as chainrule draws a chain's
    for (int epoch = 0; epoch < epochs; epoch++)
        for (int row = 0; row < rows; row++) fann_train(net, xy + 2 * row, xy + 2 * row + 1);
    return 0;
}
